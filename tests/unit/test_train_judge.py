"""What picks a checkpoint, and the codes as the oracle experiment's critic sees them."""

from collections.abc import Callable

import pytest
import torch

from helpers.small_jobs import tuning
from helpers.small_settings import finetuning
from rarl.losses import nll
from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior
from rarl.rl.model_selection import OracleSelection
from rarl.runtime import seeds
from rarl.sampling import draw

MakeCodePrior = Callable[..., CodePrior]


def test_the_oracle_selects_by_the_kl_of_one_fixed_sample(make_code_prior: MakeCodePrior):
    rl = finetuning(batch_size=4, evaluate_samples=10)
    settings = tuning((4,), rl).model_copy(update={"seed": 5})
    oracle, generator = make_code_prior(4, seed=1), make_code_prior(4, seed=2)
    selection = OracleSelection(oracle)
    seed = seeds.derive(5, "held-out draw")
    [codes] = draw(generator, seed, 10, 10, temperature=1.0, top_k=0)
    with torch.no_grad():
        expected = float(nll(oracle(codes), codes) - nll(generator(codes), codes))
    assert selection(generator, settings) == pytest.approx(expected, rel=1e-5)
    assert selection(generator, settings) == selection(generator, settings)


def test_one_hot_codes_say_which_code_it_is():
    codes = torch.randint(7, (2, 4, 4))
    shown = OneHot(7).decode((codes,))
    assert shown.shape == (2, 7, 4, 4)
    assert torch.equal(shown.argmax(1), codes)
    assert torch.equal(shown.sum(1), torch.ones(2, 4, 4))
