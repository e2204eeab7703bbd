"""The likelihood ratio as a discriminator, against enumeration on 2x2 maps of 3 codes."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.small_jobs import tuning
from helpers.small_settings import discriminative
from rarl import losses
from rarl.models.codes import CodeSet
from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior
from rarl.rl.discriminative import Ratio
from rarl.rl.finetune import finetune
from rarl.rl.update import Run
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.averaging import MovingAverage, Selection

CODES, SIDE = 3, 2
MAPS = torch.tensor(list(product(range(CODES), repeat=SIDE**2))).view(-1, SIDE, SIDE)  # all 81
CPU = torch.device("cpu")
MakeCodePrior = Callable[..., CodePrior]


def log_probs(prior: CodePrior) -> Tensor:
    """(81,) of every map."""
    (logits,) = prior((MAPS,))
    taken = logits.log_softmax(-1).gather(-1, MAPS.unsqueeze(-1))
    return taken.flatten(1).sum(1)


def minimiser(p_data: Tensor, p_ref: Tensor, alpha: float, beta: float) -> Tensor:
    """The distribution of least expected loss, by Newton's steps on 81 free logits."""
    logits = torch.zeros(len(p_data), dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=2000, tolerance_grad=1e-12, tolerance_change=0)

    def loss() -> Tensor:
        optimiser.zero_grad()
        ratio = beta * (logits.log_softmax(0) - p_ref.log())
        value = (p_data * F.softplus(-ratio)).sum() + alpha * (p_ref * F.softplus(ratio)).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return logits.detach().softmax(0)


def test_the_loss_is_that_of_a_discriminator():
    real, fake = torch.randn(5), torch.randn(7)
    expected = (
        -F.logsigmoid(0.3 * real).mean() - 2 * torch.log(1 - torch.sigmoid(0.3 * fake)).mean()
    )
    torch.testing.assert_close(losses.likelihood_ratio(real, fake, 2.0, 0.3), expected)


def test_the_optimum_at_1_is_the_data():
    torch.manual_seed(0)
    p_data, p_ref = (torch.randn(81, dtype=torch.double).softmax(0) for _ in range(2))
    torch.testing.assert_close(minimiser(p_data, p_ref, 1, 1), p_data, rtol=1e-4, atol=1e-7)
    assert not torch.allclose(minimiser(p_data, p_ref, 1, 0.5), p_data, rtol=0.1)


def uniform(prior: CodePrior) -> CodePrior:
    for level in prior.levels.values():
        for parameter in level.get_submodule(level.last_layer).parameters():
            torch.nn.init.zeros_(parameter)
    return prior


@pytest.fixture
def learner(make_code_prior: MakeCodePrior) -> Callable[..., Ratio]:
    """Starts uniform: all maps, each once, are then the samples' exact distribution."""

    def make(counts: Tensor, **changes: object) -> Ratio:
        prior = uniform(make_code_prior(SIDE, codebook_size=CODES, hidden_units=24))
        rl = discriminative(
            iterations=1000, batch_size=len(MAPS), pool=len(MAPS), **{"rounds": 1, **changes}
        )
        optimiser = torch.optim.Adam(prior.parameters(), 2e-2)
        average, kept = MovingAverage(prior, 0.0), Selection("best", CPU)
        train = CodeSet((MAPS.repeat_interleave(counts, 0).to(torch.int16),), CODES)
        run = Run(tuning((SIDE,), rl), prior, train, optimiser, OneHot(CODES), average, kept, None)
        found = Ratio(run)
        found.real = found._compared(train)
        found.fake = found._compared(CodeSet((MAPS.to(torch.int16),), CODES))
        return found

    return make


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 0.25)])
def test_training_ends_at_the_enumerated_minimiser(
    learner: Callable[..., Ratio], alpha: float, beta: float
):
    """All 81 maps a step, of both kinds. The data: each map once to three times, 81 in all."""
    counts = torch.ones(81, dtype=torch.long)
    counts[:30] = torch.tensor([0, 3] * 15)
    counts[0] = 0
    counts[1] = 3
    assert int(counts.sum()) == 96
    counts[30:45] = 0
    found = learner(counts, alpha=alpha, beta=beta)
    p_data = counts.double() / counts.sum()
    p_ref = torch.full((81,), 1 / 81, dtype=torch.double)
    for i in range(150):
        found.step(i)
    with torch.no_grad():
        reached = log_probs(found.run.prior).double().exp()
    expected = minimiser(p_data, p_ref, alpha, beta)
    assert 0.5 * float((reached - expected).abs().sum()) < 0.05  # total variation
    assert 0.5 * float((p_ref - expected).abs().sum()) > 0.25


def test_the_gradient_of_a_step_is_the_enumerated_one(learner: Callable[..., Ratio]):
    counts = torch.ones(81, dtype=torch.long)
    found = learner(counts, alpha=0.7, beta=0.3)
    prior = found.run.prior
    torch.nn.init.normal_(prior.levels[0].get_submodule("logits").weight)  # off the reference
    ratio = log_probs(prior) - torch.full((81,), 1 / 81).log()
    (F.softplus(-0.3 * ratio).mean() + 0.7 * F.softplus(0.3 * ratio).mean()).backward()
    expected = [None if p.grad is None else p.grad.clone() for p in prior.parameters()]
    found.run.optimiser.step = lambda: None  # type: ignore[method-assign]
    object.__setattr__(
        found,
        "rl",
        discriminative(
            alpha=0.7, beta=0.3, gradient_clip=1e9, batch_size=81, pool=81, rounds=1, iterations=1
        ),
    )
    found.step(0)
    for parameter, gradient in zip(prior.parameters(), expected, strict=True):
        if gradient is not None:
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-6)


def test_a_round_begins_from_the_best_weights(learner: Callable[..., Ratio]):
    found = learner(torch.ones(81, dtype=torch.long), rounds=2)
    for i in range(3):
        found.step(i)
    start = {name: x.clone() for name, x in found.run.prior.state_dict().items()}
    found.run.kept.offer(3, 1.0, found.run.prior)
    first = found.fake
    for i in range(3, 6):
        found.step(i)
    found.step(500)  # of 1,000: the second round
    assert found.round == 1
    for name, weights in found.reference.state_dict().items():
        assert torch.equal(weights, start[name])
    assert found.fake is not first
    assert len(found.fake.codes) == 81
    with torch.no_grad():
        log_ref = log_probs(found.reference)
    index = found.fake.codes.grids[0].long().flatten(1) @ torch.tensor([27, 9, 3, 1])
    torch.testing.assert_close(found.fake.log_ref, log_ref[index], rtol=1e-4, atol=1e-4)


class Counting:
    metric = "distance"

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, prior: CodePrior, settings: object) -> float:
        self.seen += 1
        return float(-self.seen)


def test_a_whole_run_logs_its_metrics(
    tmp_path: Path, make_code_prior: MakeCodePrior, codes_of: Callable[..., CodeSet]
):
    rl = discriminative(
        iterations=4, batch_size=4, pool=8, rounds=2, evaluate_every=2, learning_rate=1e-3
    )
    finetune(
        tuning((4,), rl),
        make_code_prior(4),
        {"train": codes_of(20), "val": codes_of(5)},
        OneHot(7),
        Counting(),
        log=TrainLog(tmp_path / "log.jsonl"),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    text = (tmp_path / "log.jsonl").read_text()
    for name in ("ratio_real", "ratio_fake", "accuracy", "selected_iteration"):
        assert f'"{name}"' in text
