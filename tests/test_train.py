"""Training: what a step sees, what is kept, and that each method does what it claims."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rarl import losses
from rarl.config import Critic, Prior, Rl, Vqvae
from rarl.losses import nll
from rarl.models.pixelcnn import PixelCNN
from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE
from rarl.runtime.errors import UserError
from rarl.runtime.metrics_log import MetricsLog
from rarl.train.adversary import Adversary
from rarl.train.averaging import Best, MovingAverage
from rarl.train.batches import batch_indices, consecutive
from rarl.train.loop import run
from rarl.train.prior import evaluate_nll, train_prior, unigram_nll
from rarl.train.reinforce import Reinforce

CPU = torch.device("cpu")
MakePrior = Callable[..., PixelCNN]


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_example_is_seen_once_an_epoch():
    seen = torch.cat([batch_indices(10, 4, 0, step) for step in range(5)])  # two epochs
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()
    assert not torch.equal(batch_indices(10, 4, 0, 0), batch_indices(10, 4, 1, 0))


def test_a_batch_may_be_larger_than_the_data():
    assert sorted(batch_indices(3, 6, 0, 1).tolist()) == [0, 0, 1, 1, 2, 2]


def test_consecutive_batches_cover_everything_in_order():
    assert torch.cat(consecutive(10, 4)).tolist() == list(range(10))


def test_the_moving_average_follows_its_closed_form():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = MovingAverage(model, 0.9)
    for value in (2.0, 5.0):
        nn.init.constant_(model.weight, value)
        average.update(model)
    assert average.model.weight.item() == pytest.approx(0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 5)


def test_the_best_weights_are_a_copy_of_the_lowest():
    model, best = nn.Linear(1, 1, bias=False), Best()
    for step, figure in enumerate([3.0, 1.0, 2.0]):
        nn.init.constant_(model.weight, float(step))
        best.offer(figure, step, model)
    assert (best.step, best.figure, best.weights["weight"].item()) == (1, 1.0, 1.0)


def test_the_loop_logs_evaluates_and_publishes(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = MetricsLog(path)

    def step(i: int) -> dict[str, Tensor]:
        assert not path.exists()
        return {"draw": torch.rand(())}

    run("x", 5, step, lambda i: {"at": float(i)}, seed=0, log=log, log_every=2, evaluate_every=3)
    evaluated = [line["at"] for line in lines(path) if "at" in line]
    logged = {line["step"]: line["draw"] for line in lines(path) if "draw" in line}
    assert evaluated == [0, 3, 5]
    assert list(logged) == [2, 4, 5]
    assert len(set(logged.values())) == 3  # each step has a random stream of its own


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_stops_with_stage_step_and_name(tmp_path: Path, value: float):
    path = tmp_path / "log.jsonl"
    with pytest.raises(UserError, match=r"prior diverged at step 1: loss is (nan|inf)"):
        run(
            "prior",
            3,
            lambda i: {"loss": torch.tensor(value)},
            lambda i: {},
            seed=0,
            log=MetricsLog(path),
            log_every=1,
            evaluate_every=1,
        )
    assert not path.exists()


def codes_of(count: int, side: int = 4, size: int = 7) -> CodeSet:
    """Codes that continue their left neighbour: easy to learn."""
    start = torch.randint(size, (count, 1, 1), generator=torch.Generator().manual_seed(count))
    steps = torch.arange(side * side).view(1, side, side)
    return CodeSet((((start + steps) % size).to(torch.int16),), size)


def test_unigram_nll_is_the_histograms():
    train = CodeSet((torch.tensor([[[0, 0], [0, 1]]]),), 2)
    val = CodeSet((torch.tensor([[[1, 1], [1, 1]]]),), 2)
    assert unigram_nll(train, val) == pytest.approx(-math.log((1 + 1) / (4 + 2)))


def test_evaluation_weighs_every_picture_alike(make_prior: MakePrior):
    prior, codes = make_prior(side=4), codes_of(10)
    with torch.no_grad():
        (grid,) = codes.take(torch.arange(10), CPU)
        expected = float(nll(prior(grid), grid))
    assert evaluate_nll(prior, codes, 4) == pytest.approx(expected, rel=1e-5)


def test_the_prior_learns_and_repeats_bit_for_bit(tmp_path: Path, prior_settings: Prior):
    changes = {"steps": 60, "evaluate_every": 20, "learning_rate": 1e-2}
    settings = prior_settings.model_copy(update=changes)
    train, val = codes_of(40), codes_of(10)
    priors = [
        train_prior(settings, train, val, seed=3, device=CPU, log=MetricsLog(tmp_path / name))
        for name in ("a", "b")
    ]
    for a, b in zip(priors[0].parameters(), priors[1].parameters(), strict=True):
        assert torch.equal(a, b)
    assert evaluate_nll(priors[0], val, 8) < 0.7 * unigram_nll(train, val)


def rl_settings(**changes: float) -> Rl:
    values = {
        "iterations": 1,
        "batch_size": 64,
        "learning_rate": 1e-2,
        "gradient_clip": 1.0,
        "ema_decay": 0.5,
        "log_every": 1,
        "evaluate_every": 1,
        "evaluate_samples": 2,
        "context_rows": 0,
        "rollouts_per_context": 1,
        "kl_weight": 0.0,
        "mle_weight": 0.0,
        "critic": Critic(
            loss="wasserstein",
            stem_stride=2,
            hidden_units=4,
            max_units=8,
            final_size=4,
            batch_size=16,
            steps=1,
            warmup_steps=2,
            learning_rate=1e-3,
            gradient_penalty=10.0,
            penalty_every=1,
            ema_decay=0.5,
        ),
    }
    return Rl(**(values | changes))


class CountingAdversary(Adversary):
    """Rewards the share of one code; learns nothing, counts its updates."""

    def __init__(self, codes_of_images: Callable[[Tensor], Tensor]) -> None:
        self.updates, self._codes = 0, codes_of_images

    def update(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        self.updates += 1
        return {}

    def reward(self, images: Tensor) -> Tensor:
        return (self._codes(images) == 2).float().mean((1, 2))


class CodesAsImages(VQVAE):
    """Decodes codes to themselves, so that a test can reward codes."""

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        return codes[0].unsqueeze(1).float()


def reinforce(settings: Rl, vqvae_settings: Vqvae, policy: PixelCNN, anchor: PixelCNN) -> Reinforce:
    return Reinforce(
        settings=settings,
        policy=policy,
        anchor=anchor,
        vqvae=CodesAsImages(vqvae_settings),
        adversary=CountingAdversary(lambda images: images[:, 0].long()),
        optimiser=torch.optim.Adam(policy.parameters(), settings.learning_rate),
        train=codes_of(20),
        seed=0,
        temperature=1.0,
        top_k=0,
    )


def test_reinforce_raises_the_reward(vqvae_settings: Vqvae, make_prior: MakePrior):
    run_ = reinforce(rl_settings(), vqvae_settings, make_prior(), make_prior())
    figures = [run_.step(i) for i in range(40)]
    assert float(figures[-1]["reward_mean"]) > float(figures[0]["reward_mean"]) + 0.4
    assert run_.adversary.updates == 2 + 40  # the warm-up, then one an iteration


def test_the_anchor_holds_the_policy(vqvae_settings: Vqvae, make_prior: MakePrior):
    free, held = (
        reinforce(rl_settings(kl_weight=weight), vqvae_settings, make_prior(), make_prior())
        for weight in (0.0, 3.0)
    )
    for i in range(40):
        loose, tight = free.step(i), held.step(i)
    assert float(tight["kl"]) < 0.2 * float(loose["kl"])


def test_the_mle_term_keeps_the_likelihood(vqvae_settings: Vqvae, make_prior: MakePrior):
    free, held = (
        reinforce(rl_settings(mle_weight=weight), vqvae_settings, make_prior(), make_prior())
        for weight in (0.0, 1.0)
    )
    for i in range(30):
        free.step(i)
        held.step(i)
    assert evaluate_nll(held.policy, codes_of(20), 8) < evaluate_nll(free.policy, codes_of(20), 8)


def test_the_first_step_scores_what_was_sampled(vqvae_settings: Vqvae, make_prior: MakePrior):
    """Policy and anchor start equal, so the KL is 0 unless dropout or temperature differ."""
    run_ = reinforce(rl_settings(), vqvae_settings, make_prior().train(), make_prior())
    assert float(run_.step(0)["kl"]) == pytest.approx(0, abs=1e-6)


def test_contexts_are_kept_and_shared_by_their_group(vqvae_settings: Vqvae, make_prior: MakePrior):
    settings = rl_settings(context_rows=3, rollouts_per_context=4)
    run_ = reinforce(settings, vqvae_settings, make_prior(), make_prior())
    real = {tuple(grid.flatten().tolist()) for grid in run_.train.grids[0]}
    seen = set()
    for i in range(12):
        torch.manual_seed(i)
        codes, given, _, real_images = run_.rollouts(16, "rollouts", i)
        seen.add(given)
        beside = real_images.flatten(1).long()  # this VQ-VAE shows codes as they are
        assert {tuple(row) for row in beside.tolist()} <= real
        assert torch.equal(beside, beside[::4].repeat_interleave(4, 0))
        assert torch.equal(codes.flatten(1)[:, :given], beside[:, :given])
        assert not torch.equal(codes.flatten(1)[:, given:], beside[:, given:])
    assert seen == {0, 4, 8, 12}


def test_only_drawn_codes_are_credited(vqvae_settings: Vqvae, make_prior: MakePrior):
    """Moving the given codes' logits must not change the update: no gradient reaches them."""
    settings = rl_settings(context_rows=3, rollouts_per_context=4)
    policy = make_prior()
    run_ = reinforce(settings, vqvae_settings, policy, make_prior())
    logits: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if output.requires_grad:
            output.retain_grad()
            logits.append(output)

    policy.logits.register_forward_hook(keep)  # the last layer
    rollouts = run_.rollouts(16, "rollouts", 0)._replace(given=8)
    run_.update_policy(rollouts, torch.randn(16), 0)
    gradient = logits[-1].grad.flatten(1, 2)
    assert gradient[:, :8].abs().max() == 0
    assert gradient[:, 8:].abs().min(-1).values.max() > 0


def test_a_lazy_penalty_counts_for_the_steps_between():
    """Two steps of a penalty every second step: the first loss holds it twice, the second not."""
    images = torch.randn(4, 3, 16, 16)
    totals = []
    for every, weight in ((1, 2.0), (2, 1.0)):
        torch.manual_seed(0)
        changes = {"penalty_every": every, "gradient_penalty": weight, "loss": "logistic"}
        adversary = Adversary(rl_settings().critic.model_copy(update=changes), 16, CPU)
        totals.append(adversary.update(images, -images)["critic_loss"])
        if every == 2:
            with torch.no_grad():
                score = adversary.critic(images), adversary.critic(-images)
            second = adversary.update(images, -images)["critic_loss"]
            torch.testing.assert_close(second, losses.logistic(*score))
    torch.testing.assert_close(totals[0], totals[1])


def test_the_reward_is_the_averaged_critics():
    torch.manual_seed(0)
    adversary = Adversary(rl_settings().critic, 16, CPU)
    images = torch.randn(4, 3, 16, 16)
    before = adversary.reward(images)
    adversary.update(images, -images)
    after, newest = adversary.reward(images), adversary.critic(images)
    assert not torch.equal(before, after)
    assert not torch.equal(after, newest)


@pytest.mark.parametrize("loss", ["wasserstein", "logistic"])
def test_the_critic_learns_to_tell_dark_from_light(loss: str):
    torch.manual_seed(0)
    settings = rl_settings().critic.model_copy(update={"loss": loss, "gradient_penalty": 0.1})
    adversary = Adversary(settings, 16, CPU)
    light, dark = torch.full((16, 3, 16, 16), 0.8), torch.full((16, 3, 16, 16), -0.8)
    for _ in range(60):
        figures = adversary.update(light, dark)
    assert float(figures["wasserstein"]) > 1
    assert float(adversary.reward(light).mean()) > float(adversary.reward(dark).mean())
