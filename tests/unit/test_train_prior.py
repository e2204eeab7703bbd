"""Maximum likelihood: what is measured, that it learns, that it repeats."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rarl.config import Prior
from rarl.config.stages.train import PriorSettings
from rarl.losses import nll
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.held_out import evaluate_nll
from rarl.train.prior import learning_rate, train_prior, unigram_nll

CPU = torch.device("cpu")
MakeCodePrior = Callable[..., CodePrior]
CodesOf = Callable[..., CodeSet]


def test_unigram_nll_is_the_histograms():
    train, val = torch.tensor([[[0, 0], [0, 1]]]), torch.tensor([[[1, 1], [1, 1]]])
    assert unigram_nll(train, val, 2) == pytest.approx(-math.log((1 + 1) / (4 + 2)))


@pytest.mark.parametrize("sides", [(4,), (2, 4)])
def test_evaluation_weighs_every_image_alike(
    make_code_prior: MakeCodePrior, codes_of: CodesOf, sides: tuple[int, ...]
):
    prior, codes = make_code_prior(*sides), codes_of(10, *sides)
    with torch.no_grad():
        grids = codes.take(torch.arange(10), CPU)
        expected = float(nll(prior(grids), grids))
    assert evaluate_nll(prior, codes, 4) == pytest.approx(expected, rel=1e-5)


def test_the_cosine_starts_at_the_rate_and_ends_near_zero(prior_settings: Prior):
    constant = prior_settings.model_copy(update={"steps": 100, "learning_rate": 2.0})
    cosine = constant.model_copy(update={"schedule": "cosine"})
    assert [learning_rate(constant, step) for step in (0, 99)] == [2.0, 2.0]
    assert learning_rate(cosine, 0) == 2.0
    assert learning_rate(cosine, 50) == pytest.approx(1.0)
    assert 0 < learning_rate(cosine, 99) < 1e-3


@pytest.mark.parametrize(("sides", "grid"), [((4,), 0), ((2, 4), 0), ((2, 4), 1)])
def test_the_prior_learns_and_repeats_bit_for_bit(
    tmp_path: Path, prior_settings: Prior, codes_of: CodesOf, sides: tuple[int, ...], grid: int
):
    changes = {"steps": 60, "evaluate_every": 20, "learning_rate": 1e-2}
    of = prior_settings.model_copy(update=changes)
    settings = PriorSettings(seed=3, grid=grid, prior=of, precision="float32")
    train, val = codes_of(40, *sides), codes_of(10, *sides)
    priors = [
        train_prior(
            settings,
            train,
            val,
            device=CPU,
            log=TrainLog(tmp_path / name),
            checkpoints=Checkpoints(tmp_path / name, {}),
        )
        for name in ("a", "b")
    ]
    for a, b in zip(priors[0].parameters(), priors[1].parameters(), strict=True):
        assert torch.equal(a, b)
    unigram = unigram_nll(train.grids[grid], val.grids[grid], 7)
    assert evaluate_nll(priors[0], val, 8) < 0.7 * unigram
