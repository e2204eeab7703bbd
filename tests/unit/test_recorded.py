"""Recordings that are kept between batches. Oracle: the sampler that is made anew for each.

A GPU is not needed: a tape takes the place of the CUDA graph, and like it knows tensors alone.
"""

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from helpers.tape import TapedGraph
from rarl.losses import nll
from rarl.models import pixelcnn_sampler, recorded
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.runtime import cuda_graph
from rarl.runtime.precision import autocast
from rarl.sampling import sample

MakeCodePrior = Callable[..., CodePrior]
SIDES = (4, 8)
Numbers = Callable[[int], Tensor]


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[TapedGraph]]:
    graphs = type("Counted", (TapedGraph,), {})
    monkeypatch.setattr(pixelcnn_sampler, "CudaGraph", graphs)
    monkeypatch.setattr(cuda_graph, "usable", lambda on: True)
    monkeypatch.setattr(recorded, "_KEPT", weakref.WeakKeyDictionary())
    return graphs


def numbers(batch: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, sum(side**2 for side in SIDES), generator=generator)


def both(prior: CodePrior, uniforms: Tensor, **part: object) -> tuple[Codes, Codes]:
    """Codes drawn with the recordings, and without."""
    arguments = {"temperature": 1.0, "top_k": 0, **part}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_graph, "usable", lambda on: False)
        plain = sample(prior, uniforms, **arguments)
    return sample(prior, uniforms, **arguments), plain


def assert_same(prior: CodePrior, uniforms: Tensor, **part: object) -> None:
    found, wanted = both(prior, uniforms, **part)
    for mine, theirs in zip(found, wanted, strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("attention_layers", [0, 2])
def test_one_recording_a_network_draws_every_batch(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior, attention_layers: int
):
    prior = make_code_prior(*SIDES, attention_layers=attention_layers)
    context = sample(prior, numbers(5, 9), temperature=1.0, top_k=0)
    for seed in range(3):
        assert_same(prior, numbers(5, seed))
        assert_same(
            prior, numbers(5, seed), context=context, rows=(slice(1, 3), slice(2 * seed, 6))
        )
    assert taped.made == len(SIDES)
    assert taped.replays > 3 * sum(SIDES)


@torch.no_grad()
def test_weights_that_change_in_place_are_seen(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior
):
    prior = make_code_prior(*SIDES)
    before, _ = both(prior, numbers(5))
    for weights in prior.parameters():
        weights.mul_(1.5)
    after, wanted = both(prior, numbers(5))
    assert not torch.equal(before[1], after[1])
    assert all(map(torch.equal, after, wanted))
    for weights in prior.parameters():  # another tensor in the place of the first
        weights.data = weights.data / 1.5
    assert_same(prior, numbers(5))
    assert taped.made == len(SIDES)


def test_an_optimisers_step_is_seen(taped: type[TapedGraph], make_code_prior: MakeCodePrior):
    prior = make_code_prior(*SIDES)
    optimiser = torch.optim.Adam(prior.parameters(), 0.1)
    before, _ = both(prior, numbers(5))
    for _ in range(3):
        nll(prior(before), before).backward()
        optimiser.step()
        optimiser.zero_grad()
        assert_same(prior, numbers(5))
    assert not torch.equal(before[1], both(prior, numbers(5))[0][1])
    assert taped.made == len(SIDES)


def test_another_shape_makes_another_recording(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior
):
    prior = make_code_prior(*SIDES)
    for batch in (5, 3, 5, 3):
        assert_same(prior, numbers(batch))
    assert taped.made == 2 * len(SIDES)
    assert_same(prior, numbers(5), temperature=0.5)
    assert_same(prior, numbers(5), top_k=2)
    assert taped.made == 4 * len(SIDES)


def test_the_least_recent_recording_makes_room(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior
):
    prior = make_code_prior(4)
    for batch in (1, 2, 3, 4, 1, 5, 1):
        sample(prior, torch.rand(batch, 16), temperature=1.0, top_k=0)
    assert taped.made == 5
    sample(prior, torch.rand(2, 16), temperature=1.0, top_k=0)  # went when 5 came
    assert taped.made == 6


def test_a_networks_recordings_go_with_it(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior, monkeypatch: pytest.MonkeyPatch
):
    kept, make = [], pixelcnn_sampler.PixelCNNSampler.__init__

    def noted(self: object, *arguments: object, **named: object) -> None:
        make(self, *arguments, **named)  # type: ignore[arg-type]
        kept.append(weakref.ref(self))

    monkeypatch.setattr(pixelcnn_sampler.PixelCNNSampler, "__init__", noted)
    prior = make_code_prior(*SIDES)
    sample(prior, numbers(5), temperature=1.0, top_k=0)
    gc.collect()
    assert len(kept) == len(SIDES)
    assert all(of() is not None for of in kept)
    gc.disable()  # nothing waits for a collection: memory of a GPU is precious
    try:
        del prior
        assert all(of() is None for of in kept)
    finally:
        gc.enable()
    assert len(recorded._KEPT) == 0


def test_another_precision_is_another_recording(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior
):
    """Without attention, whose sums are others where a row may be replayed."""
    prior = make_code_prior(*SIDES, attention_layers=0)
    assert_same(prior, numbers(5))
    with autocast("bfloat16"):
        for seed in range(2):
            sample(prior, numbers(5, seed), temperature=1.0, top_k=0)
        assert taped.made == 2 * len(SIDES)
        with torch.no_grad():
            for weights in prior.parameters():
                weights.mul_(1.5)
        assert_same(prior, numbers(5))
    assert taped.made == 2 * len(SIDES)


def test_a_recording_that_began_in_inference_mode_goes_on_outside(
    taped: type[TapedGraph], make_code_prior: MakeCodePrior
):
    prior = make_code_prior(*SIDES)
    with torch.inference_mode():
        sample(prior, numbers(5), temperature=1.0, top_k=0)
    assert_same(prior, numbers(5))
    assert taped.made == len(SIDES)
