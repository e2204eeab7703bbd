"""What goes on from a checkpoint, which is read to the CPU, is where it was before.

The device here is `meta`, which every machine has. It accepts scalars of the CPU in silence, so
each tensor is asked where it is.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.small_jobs import ProjectionExtractor
from helpers.small_settings import FRECHET, critic_settings, rl_settings
from rarl.metrics.extractor import Extractor
from rarl.metrics.moments import Moments
from rarl.models.onehot import OneHot
from rarl.models.scores import Scores
from rarl.rl.advantages import AdvantageEstimator
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rewards.frechet import FrechetReward
from rarl.rl.rollouts import Rollouts
from rarl.runtime.checkpoints import Stateful
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage, Selection

CPU, META = torch.device("cpu"), torch.device("meta")
IMAGES = torch.rand(20, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def credit(device: torch.device) -> AdvantageEstimator:
    found = AdvantageEstimator(rl_settings(), device)
    if device == CPU:
        found(Scores(torch.arange(4.0), None), (slice(0, 2),), (2,))
    return found


def selection(device: torch.device) -> Selection:
    found = Selection("best", device)
    if device == CPU:
        found.offer(3, 1.0, nn.Linear(2, 2))
    return found


def average(device: torch.device) -> MovingAverage[nn.Linear]:
    return MovingAverage(nn.Linear(2, 2).to(device), 0.9)


def adversary(device: torch.device) -> CriticTrainer:
    found = CriticTrainer(critic_settings(), 3, 16, 16, device)
    if device == CPU:
        found.update(IMAGES, -IMAGES)
    return found


def optimiser(device: torch.device) -> torch.optim.Optimizer:
    layer = nn.Linear(2, 2).to(device)
    found = adam(layer.parameters(), 0.1)
    if device == CPU:
        layer(torch.ones(1, 2)).sum().backward()
        found.step()
    return found


def frechet(device: torch.device) -> FrechetReward:
    extractor = Extractor(**(vars(ProjectionExtractor()) | {"device": device}))
    reference = Moments(extractor.dimension)
    reference.update(ProjectionExtractor()((IMAGES * 127.5 + 127.5).to(torch.uint8)))
    found = FrechetReward(FRECHET, extractor, reference, 20)
    if device == CPU:
        found.learn(Rollouts((), (), IMAGES, (), 1, OneHot(2)))
        found.score(IMAGES)
    return found


def tensors(state: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(state, Tensor):
        yield path, state
    elif isinstance(state, dict):
        for name, inner in state.items():
            yield from tensors(inner, f"{path}.{name}")


@pytest.mark.parametrize("make", [credit, selection, average, adversary, optimiser, frechet])
@pytest.mark.filterwarnings("ignore:.*meta parameter.*")
def test_what_is_loaded_is_on_the_device_of_its_owner(make: Callable[[torch.device], Stateful]):
    saved, resumed = deepcopy(make(CPU).state_dict()), make(META)
    resumed.load_state_dict(saved)
    after = dict(tensors(resumed.state_dict()))
    assert after.keys() == dict(tensors(saved)).keys()
    assert after
    for name, tensor in after.items():
        if not name.endswith((".step", ".n_averaged")):  # counts, which torch keeps on the CPU
            assert tensor.device == META, name
