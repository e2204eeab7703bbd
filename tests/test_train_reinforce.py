"""RAL: rollouts, credit, the critic, and that a reward is climbed."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rarl import losses
from rarl.config import Critic, Part, Rl, Vqvae
from rarl.models.critic import Scores
from rarl.models.prior import CodePrior
from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE
from rarl.train.adversary import Adversary
from rarl.train.credit import Credit
from rarl.train.prior import evaluate_nll
from rarl.train.reinforce import Reinforce
from rarl.train.rollouts import decode_part, random_part

CPU = torch.device("cpu")
MakeCodePrior = Callable[..., CodePrior]
CodesOf = Callable[..., CodeSet]
MakeReinforce = Callable[..., Reinforce]


def rl_settings(**changes: object) -> Rl:
    values = {
        "iterations": 1,
        "batch_size": 64,
        "learning_rate": 1e-2,
        "gradient_clip": 1.0,
        "ema_decay": 0.5,
        "log_every": 1,
        "evaluate_every": 1,
        "evaluate_samples": 2,
        "part": Part(single=1.0, top=1.0, bottom=1.0),
        "rollouts_per_context": 1,
        "reward": "single",
        "discount": 0.5,
        "whole_weight": 0.5,
        "kl_weight": 0.0,
        "mle_weight": 0.0,
        "critic": Critic(
            loss="wasserstein",
            stem_stride=2,
            hidden_units=4,
            max_units=8,
            final_size=4,
            map_size=0,
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

    def reward(self, images: Tensor) -> Scores:
        patches = (self._codes(images) == 2).float()
        return Scores(patches.mean((1, 2)), patches)


class CodesAsImages(VQVAE):
    """Decodes the finest codes to themselves, so that a test can reward codes."""

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        return codes[-1].unsqueeze(1).float()


@pytest.fixture
def reinforce(
    vqvae_settings: Vqvae, make_code_prior: MakeCodePrior, codes_of: CodesOf
) -> Callable[..., Reinforce]:
    """Makes a run whose policy starts from its anchor, on grids of the given sides."""

    def make(settings: Rl, *sides: int) -> Reinforce:
        policy, anchor = make_code_prior(*sides), make_code_prior(*sides)
        return Reinforce(
            settings=settings,
            policy=policy,
            anchor=anchor,
            decoder=CodesAsImages(vqvae_settings, len(sides)),
            adversary=CountingAdversary(lambda images: images[:, 0].long()),
            credit=Credit(settings),
            optimiser=torch.optim.Adam(policy.parameters(), settings.learning_rate),
            train=codes_of(20, *sides),
            seed=0,
            temperature=1.0,
            top_k=0,
        )

    return make


HALF = Part(single=0.5, top=0.5, bottom=0.5)


@pytest.mark.parametrize("sides", [(4,), (2, 4)])
@pytest.mark.parametrize("changes", [{}, {"part": HALF}, {"reward": "intermediate"}])
def test_reinforce_raises_the_reward(
    reinforce: MakeReinforce, sides: tuple[int, ...], changes: dict[str, object]
):
    changes = changes | {"critic": rl_settings().critic.model_copy(update={"map_size": 4})}
    run_ = reinforce(rl_settings(**changes), *sides)
    figures = [run_.step(i) for i in range(40)]
    assert float(figures[-1]["reward_mean"]) > float(figures[0]["reward_mean"]) + 0.4
    assert run_.adversary.updates == 2 + 40  # the warm-up, then one an iteration


def test_both_priors_learn_from_the_one_reward(reinforce: MakeReinforce):
    run_ = reinforce(rl_settings(), 2, 4)
    run_.step(0)
    for grid, prior in run_.policy.grids.items():
        moved = [
            not torch.equal(new, old)
            for new, old in zip(
                prior.parameters(), run_.anchor.grids[grid].parameters(), strict=True
            )
        ]
        assert any(moved), grid


def test_the_anchor_holds_the_policy(reinforce: MakeReinforce):
    free, held = (reinforce(rl_settings(kl_weight=weight), 4) for weight in (0.0, 3.0))
    for i in range(40):
        loose, tight = free.step(i), held.step(i)
    assert float(tight["kl"]) < 0.2 * float(loose["kl"])


def test_the_mle_term_keeps_the_likelihood(reinforce: MakeReinforce, codes_of: CodesOf):
    free, held = (reinforce(rl_settings(mle_weight=weight), 4) for weight in (0.0, 1.0))
    for i in range(30):
        free.step(i)
        held.step(i)
    assert evaluate_nll(held.policy, codes_of(20), 8) < evaluate_nll(free.policy, codes_of(20), 8)


def test_the_first_step_scores_what_was_sampled(reinforce: MakeReinforce):
    """Policy and anchor start equal, so the KL is 0 unless dropout or temperature differ."""
    run_ = reinforce(rl_settings(), 2, 4)
    run_.policy.train()
    assert float(run_.step(0)["kl"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("sides", [(8,), (4, 8)])
def test_a_part_lies_in_real_codes_shared_by_its_group(
    reinforce: MakeReinforce, sides: tuple[int, ...]
):
    run_ = reinforce(rl_settings(part=HALF, rollouts_per_context=4), *sides)
    real = {tuple(grid.flatten().tolist()) for grid in run_.train.grids[-1]}
    starts = set()
    for i in range(20):
        torch.manual_seed(i)
        rollouts = run_.rollouts(16, "rollouts", i)
        for side, drawn, of in zip(sides, rollouts.rows, rollouts.rows[1:], strict=False):
            assert (of.start, of.stop) == (2 * drawn.start, 2 * drawn.stop)
            assert drawn.stop - drawn.start == side // 2
        rows, grid = rollouts.rows[-1], rollouts.codes[-1]
        starts.add(rows.start)
        outside = torch.cat((grid[:, : rows.start], grid[:, rows.stop :]), 1)
        assert torch.equal(outside, outside[::4].repeat_interleave(4, 0))
        beside = rollouts.real_images.squeeze(1).long()  # this VQ-VAE shows codes as they are
        whole = torch.cat((grid[:, : rows.start], beside, grid[:, rows.stop :]), 1)
        assert {tuple(row) for row in whole.flatten(1).tolist()} <= real
        assert torch.equal(rollouts.images.squeeze(1).long(), grid[:, rows])
        assert not torch.equal(grid[:, rows], beside)
    step = 2 ** (len(sides) - 1)
    assert starts == set(range(0, 5, step))


def test_a_finer_part_lies_within_the_coarser():
    seen = set()
    for i in range(40):
        torch.manual_seed(i)
        coarse, fine = random_part((2, 2), (4, 8))
        assert fine.stop - fine.start == coarse.stop - coarse.start == 2
        assert 2 * coarse.start <= fine.start <= fine.stop <= 2 * coarse.stop
        seen.add((coarse.start, fine.start))
    assert seen == {(0, 0), (0, 2), (1, 2), (1, 4), (2, 4), (2, 6)}


def test_only_drawn_codes_are_credited(reinforce: MakeReinforce):
    """Nothing is computed, and so nothing learnt, from the logits of the given codes."""
    run_ = reinforce(rl_settings(part=HALF), 4)
    shapes: list[torch.Size] = []
    run_.policy.grids[0].logits.register_forward_hook(
        lambda module, inputs, output: shapes.append(output.shape)
    )
    rollouts = run_.rollouts(16, "rollouts", 0)
    shapes.clear()
    run_.update_policy(rollouts, 0)
    assert shapes == [torch.Size((16, 2, 4, 7))]


def test_decoding_a_part_is_decoding_its_codes_alone(vqvae_settings: Vqvae):
    vqvae = VQVAE(vqvae_settings, 2).train()
    vqvae(torch.rand(4, 3, 16, 16))
    codes = torch.randint(16, (2, 4, 4)), torch.randint(16, (2, 8, 8))
    shown = decode_part(vqvae.eval(), codes, (slice(0, 3), slice(2, 6)))
    assert shown.shape == (2, 3, 16, 32)
    torch.testing.assert_close(shown, vqvae.decode((codes[0][:, 1:3], codes[1][:, 2:6])))


def test_the_single_reward_credits_every_code_alike():
    scores = Scores(torch.tensor([1.0, 2.0, 6.0]), None)
    credit = Credit(rl_settings())(scores, [(2, 2), (4, 4)])
    assert credit.shape == (3, 20)
    assert torch.equal(credit, credit[:, :1].expand(-1, 20))
    advantages = losses.leave_one_out(scores.whole, 3)
    torch.testing.assert_close(credit[:, 0], advantages / advantages.square().mean().sqrt())


def intermediate(patches: Tensor, shape: tuple[int, int], **changes: float) -> Tensor:
    critic = rl_settings().critic.model_copy(update={"map_size": 4})
    settings = rl_settings(reward="intermediate", critic=critic, **changes)
    return Credit(settings)(Scores(patches.mean((1, 2)), patches), [shape])


def test_a_constant_map_without_discounting_is_the_single_reward_times_the_codes_left():
    """Relative to the single reward, code i of N gets N - i times as much; the scale is common."""
    rewards = torch.tensor([1.0, 2.0, 6.0])
    credit = intermediate(
        rewards.view(3, 1, 1).expand(3, 2, 2), (2, 2), discount=1.0, whole_weight=0.0
    )
    single = losses.leave_one_out(rewards, 3)
    left = torch.tensor([4.0, 3.0, 2.0, 1.0])
    expected = single.unsqueeze(1) * left
    torch.testing.assert_close(credit, expected / expected.square().mean().sqrt())


def test_a_constant_map_with_the_whole_weight_at_1_is_the_single_reward():
    rewards = torch.tensor([1.0, 2.0, 6.0])
    patches = rewards.view(3, 1, 1).expand(3, 2, 2)
    single = Credit(rl_settings())(Scores(rewards, None), [(2, 2)])
    torch.testing.assert_close(
        intermediate(patches, (2, 2), discount=1.0, whole_weight=1.0), single
    )


def test_a_hand_made_map_gives_the_closed_form():
    """One patch of one picture is good: only the codes at and before it gain, by 0.5 a code."""
    patches = torch.zeros(2, 2, 2)
    patches[0, 1, 0] = 1.0  # the third in raster order
    credit = intermediate(patches, (2, 2), discount=0.5, whole_weight=0.0)
    returns = torch.tensor([0.25, 0.5, 1.0, 0.0])
    expected = torch.stack((returns, -returns))  # less the other picture's
    torch.testing.assert_close(credit, expected / expected.square().mean().sqrt())


def test_a_lazy_penalty_counts_for_the_steps_between():
    """Two steps of a penalty every second step: the first loss holds it twice, the second not."""
    images = torch.randn(4, 3, 16, 16)
    totals = []
    for every, weight in ((1, 2.0), (2, 1.0)):
        torch.manual_seed(0)
        changes = {"penalty_every": every, "gradient_penalty": weight, "loss": "logistic"}
        adversary = Adversary(rl_settings().critic.model_copy(update=changes), 3, 16, 16, CPU)
        totals.append(adversary.update(images, -images)["critic_loss"])
        if every == 2:
            with torch.no_grad():
                score = adversary.critic(images).whole, adversary.critic(-images).whole
            second = adversary.update(images, -images)["critic_loss"]
            torch.testing.assert_close(second, losses.logistic(*score))
    torch.testing.assert_close(totals[0], totals[1])


def test_the_reward_is_the_averaged_critics():
    torch.manual_seed(0)
    adversary = Adversary(rl_settings().critic, 3, 16, 16, CPU)
    images = torch.randn(4, 3, 16, 16)
    before = adversary.reward(images).whole
    adversary.update(images, -images)
    after, newest = adversary.reward(images).whole, adversary.critic(images).whole
    assert not torch.equal(before, after)
    assert not torch.equal(after, newest)


@pytest.mark.parametrize("loss", ["wasserstein", "logistic"])
def test_the_critic_learns_to_tell_dark_from_light(loss: str):
    torch.manual_seed(0)
    settings = rl_settings().critic.model_copy(update={"loss": loss, "gradient_penalty": 0.1})
    adversary = Adversary(settings, 3, 16, 16, CPU)
    light, dark = torch.full((16, 3, 16, 16), 0.8), torch.full((16, 3, 16, 16), -0.8)
    for _ in range(60):
        figures = adversary.update(light, dark)
    assert float(figures["wasserstein"]) > 1
    assert (adversary.reward(light).whole > adversary.reward(dark).whole).all()
