"""The Frechet reward: what its window holds, and that a policy that follows it comes nearer."""

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.small_jobs import ProjectionExtractor
from helpers.small_settings import FRECHET
from rarl.data.pixels import to_pixels
from rarl.metrics.frechet import frechet_distance
from rarl.metrics.moments import Moments
from rarl.models.onehot import OneHot
from rarl.rl.rewards.frechet import FrechetReward
from rarl.rl.rollouts import Rollouts

EXTRACTOR = ProjectionExtractor()


def batch(seed: int, count: int = 20, light: float = 0.0) -> Rollouts:
    generator = torch.Generator().manual_seed(seed)
    images = (torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1 + light).clamp(-1, 1)
    return Rollouts((), (), images, contexts=(), repeats=1, decoder=OneHot(3))


def moments(*images: Tensor) -> Moments:
    found = Moments(EXTRACTOR.dimension)
    for each in images:
        found.update(EXTRACTOR(to_pixels(each)))
    return found


def test_the_window_starts_as_all_that_it_has_seen():
    """And its distance, but for the ridge, is that of their features."""
    reference = moments(batch(9, 50, light=0.3).images)
    settings = FRECHET.model_copy(update={"ridge": 1e-9, "window": 1000})
    reward = FrechetReward(settings, EXTRACTOR, reference, 20)
    seen = [batch(n) for n in range(4)]
    for rollouts in seen:
        reward.learn(rollouts)
    reward.score(batch(5).images)
    figures = reward.learn(batch(6))
    biased = moments(*(rollouts.images for rollouts in seen))
    biased._scatter *= (biased.count - 1) / biased.count  # ddof = 0
    expected = frechet_distance(biased, reference)
    assert float(figures["window_distance"]) == pytest.approx(expected, rel=1e-4)


def test_the_window_forgets():
    settings = FRECHET.model_copy(update={"window": 40, "refresh_every": 1})
    reward = FrechetReward(settings, EXTRACTOR, moments(batch(9, 50).images), 20)
    for n in range(3):
        reward.learn(batch(n, light=0.8))
    reward.score(batch(3).images)
    far = float(reward.learn(batch(3))["window_distance"])
    for n in range(4, 24):
        reward.learn(batch(n))
    reward.score(batch(30).images)
    assert float(reward.learn(batch(30))["window_distance"]) < 0.05 * far


def test_a_image_that_is_missing_is_worth_more():
    """Light ones among dark rollouts, where the reference is light."""
    reward = FrechetReward(FRECHET, EXTRACTOR, moments(batch(9, 50, light=0.3).images), 20)
    for n in range(5):
        reward.learn(batch(n, light=-0.3))
    light, dark = batch(6, light=0.3), batch(7, light=-0.3)
    scores = reward.score(torch.cat((light.images, dark.images)))
    assert scores.whole[:20].min() > scores.whole[20:].max()
    assert scores.patches is not None
    torch.testing.assert_close(scores.patches.mean((1, 2)), scores.whole)


def test_the_derivatives_are_taken_anew_so_often():
    settings = FRECHET.model_copy(update={"refresh_every": 3})
    reward = FrechetReward(settings, EXTRACTOR, moments(batch(9, 50).images), 20)
    reward.learn(batch(0))
    distances = []
    for n in range(1, 8):
        reward.score((rollouts := batch(n)).images)
        distances.append(float(reward.learn(rollouts)["window_distance"]))
    assert len(set(distances)) == 3
    assert distances[0] == distances[2] != distances[3] == distances[5] != distances[6]


def test_it_goes_on_from_its_state():
    reference = moments(batch(9, 50).images)
    whole, stopped = (FrechetReward(FRECHET, EXTRACTOR, reference, 20) for _ in range(2))
    for n in range(5):
        whole.score((rollouts := batch(n)).images) if n > 1 else None
        whole.learn(batch(n) if n < 2 else rollouts)
        if n == 3:
            stopped.load_state_dict(whole.state_dict())
    stopped.score((rollouts := batch(4)).images)
    stopped.learn(rollouts)
    probe = batch(11).images
    assert np.array_equal(whole.score(probe).whole, stopped.score(probe).whole)
