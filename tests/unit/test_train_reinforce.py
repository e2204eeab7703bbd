"""RAL: rollouts, credit, the critic, and that a reward is climbed."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from helpers.small_settings import INTERMEDIATE, critic_settings, rl_settings
from rarl import losses, sampling
from rarl.config import Part, Rl, Vqvae
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.models.vqvae import VQVAE
from rarl.rl.advantages import AdvantageEstimator
from rarl.rl.critics.pixel import PixelCritic
from rarl.rl.reinforce import Reinforce
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rollouts import Rollouts, decode_part, random_part
from rarl.train.held_out import evaluate_nll

CPU = torch.device("cpu")
MakeCodePrior = Callable[..., CodePrior]
CodesOf = Callable[..., CodeSet]
MakeReinforce = Callable[..., Reinforce]


class CountingTrainer(CriticTrainer):
    """Rewards the share of one code; learns nothing, counts its updates."""

    def __init__(self, codes_of_images: Callable[[Tensor], Tensor]) -> None:
        self.settings = critic_settings()
        self.warmup_steps, self.warmup_batch = 2, 16
        self.updates, self._codes = 0, codes_of_images

    def warm_up(self, rollouts: Rollouts) -> None:
        self.updates += 1

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        self.updates += 1
        return {}

    def score(self, images: Tensor) -> Scores:
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
    """Makes a run whose policy starts from its reference policy, on levels of the given sides."""

    def make(settings: Rl, *sides: int) -> Reinforce:
        policy, ref_policy = make_code_prior(*sides), make_code_prior(*sides)
        return Reinforce(
            settings=settings,
            rows=settings.part.rows(sides),
            policy=policy,
            ref_policy=ref_policy,
            decoder=CodesAsImages(vqvae_settings, len(sides)),
            reward=CountingTrainer(lambda images: images[:, 0].long()),
            advantages=AdvantageEstimator(settings, CPU),
            optimiser=torch.optim.Adam(policy.parameters(), settings.learning_rate),
            train=codes_of(20, *sides),
            seed=0,
            temperature=1.0,
            top_k=0,
        )

    return make


HALF = Part(single=0.5, top=0.5, bottom=0.5)


@pytest.mark.parametrize("sides", [(4,), (2, 4)])
@pytest.mark.parametrize("changes", [{}, {"part": HALF}, {"credit": INTERMEDIATE}])
def test_reinforce_raises_the_reward(
    reinforce: MakeReinforce, sides: tuple[int, ...], changes: dict[str, object]
):
    changes = changes | {"reward": critic_settings(map_size=4)}
    run_ = reinforce(rl_settings(**changes), *sides)
    figures = [run_.step(i) for i in range(-2, 40)][2:]
    assert float(figures[-1]["reward_mean"]) > float(figures[0]["reward_mean"]) + 0.4
    assert run_.reward.updates == 2 + 40  # the warm-up, then one an iteration


def test_both_priors_learn_from_the_one_reward(reinforce: MakeReinforce):
    run_ = reinforce(rl_settings(), 2, 4)
    run_.step(0)
    for grid, prior in run_.policy.levels.items():
        moved = [
            not torch.equal(new, old)
            for new, old in zip(
                prior.parameters(), run_.ref_policy.levels[grid].parameters(), strict=True
            )
        ]
        assert any(moved), grid


def test_the_reference_policy_holds_the_policy(reinforce: MakeReinforce):
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


@pytest.mark.parametrize("sides", [(4,), (2, 4)])
@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 0), (0.7, 3)])
def test_what_is_scored_is_what_was_sampled(
    reinforce: MakeReinforce,
    monkeypatch: pytest.MonkeyPatch,
    sides: tuple[int, ...],
    temperature: float,
    top_k: int,
):
    """The sampler's own log-probabilities, recorded, against those of the update."""
    run_ = reinforce(rl_settings(part=HALF), *sides)
    run_.temperature, run_.top_k = temperature, top_k
    run_.policy.train()
    recorded: list[Tensor] = []
    invert = sampling.invert

    def record(log_probs: Tensor, uniform: Tensor) -> Tensor:
        codes = invert(log_probs, uniform)
        recorded.append(log_probs.gather(1, codes.unsqueeze(1)).squeeze(1))
        return codes

    monkeypatch.setattr(sampling, "invert", record)
    run_.policy.eval()
    rollouts = run_.sample(16, "rollouts", 0)
    taken = run_.score(rollouts).log_probs
    torch.testing.assert_close(taken, torch.stack(recorded, 1), rtol=1e-4, atol=1e-5)


def test_the_first_step_knows_no_kl(reinforce: MakeReinforce):
    """Policy and reference policy start equal, so the KL is 0 unless dropout differs."""
    run_ = reinforce(rl_settings(), 2, 4)
    run_.policy.train()
    assert float(run_.step(0)["kl"]) == pytest.approx(0, abs=1e-5)


def test_codes_that_only_one_excludes_do_not_weigh_on_the_kl(reinforce: MakeReinforce):
    run_ = reinforce(rl_settings(), 4)
    run_.top_k = 3
    for i in range(5):
        figures = run_.step(i)
    assert 0 < float(figures["kl"]) < 16 * 5


@pytest.mark.parametrize("sides", [(8,), (4, 8)])
def test_a_part_lies_in_real_codes_shared_by_its_group(
    reinforce: MakeReinforce, sides: tuple[int, ...]
):
    run_ = reinforce(rl_settings(part=HALF, rollouts_per_context=4), *sides)
    real = {tuple(grid.flatten().tolist()) for grid in run_.train.grids[-1]}
    starts = set()
    for i in range(20):
        torch.manual_seed(i)
        rollouts = run_.sample(16, "rollouts", i)
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
    run_.policy.levels[0].logits.register_forward_hook(
        lambda module, inputs, output: shapes.append(output.shape)
    )
    rollouts = run_.sample(16, "rollouts", 0)
    shapes.clear()
    run_.update(rollouts, 0)
    assert set(shapes) == {torch.Size((16, 2, 4, 7))}  # once forward, once more for backward


def test_decoding_a_part_is_decoding_its_codes_alone(vqvae_settings: Vqvae):
    vqvae = VQVAE(vqvae_settings, 2).train()
    vqvae(torch.rand(4, 3, 16, 16))
    codes = torch.randint(16, (2, 4, 4)), torch.randint(16, (2, 8, 8))
    shown = decode_part(vqvae.eval(), codes, (slice(0, 3), slice(2, 6)))
    assert shown.shape == (2, 3, 16, 32)
    torch.testing.assert_close(shown, vqvae.decode((codes[0][:, 1:3], codes[1][:, 2:6])))


def test_the_single_reward_credits_every_code_alike():
    scores = Scores(torch.tensor([1.0, 2.0, 6.0]), None)
    credit = AdvantageEstimator(rl_settings(), CPU)(scores, (slice(0, 2), slice(0, 4)), (2, 4))
    assert credit.shape == (3, 20)
    assert torch.equal(credit, credit[:, :1].expand(-1, 20))
    advantages = losses.leave_one_out(scores.whole, 3)
    torch.testing.assert_close(credit[:, 0], advantages / advantages.square().mean().sqrt())


def intermediate(
    patches: Tensor, rows: tuple[slice, ...], sides: tuple[int, ...], **changes: object
) -> Tensor:
    how = {name: changes.pop(name) for name in ("discount", "whole_weight") if name in changes}
    credit = INTERMEDIATE.model_copy(update=how)
    settings = rl_settings(reward=critic_settings(map_size=4), credit=credit, **changes)
    return AdvantageEstimator(settings, CPU)(Scores(patches.mean((1, 2)), patches), rows, sides)


def in_units(advantages: Tensor) -> Tensor:
    return advantages / advantages.square().mean().sqrt()


TWO = (slice(0, 2),)  # all rows of a 2x2 grid


def test_a_constant_map_without_discounting_is_the_single_reward_times_the_codes_left():
    """Relative to the single reward, code i of N gets N - i times as much; the scale is common."""
    rewards = torch.tensor([1.0, 2.0, 6.0])
    credit = intermediate(
        rewards.view(3, 1, 1).expand(3, 2, 2), TWO, (2,), discount=1.0, whole_weight=0.0
    )
    single = losses.leave_one_out(rewards, 3)
    left = torch.tensor([4.0, 3.0, 2.0, 1.0])
    expected = single.unsqueeze(1) * left
    torch.testing.assert_close(credit, in_units(expected))


def test_a_constant_map_with_the_whole_weight_at_1_is_the_single_reward():
    rewards = torch.tensor([1.0, 2.0, 6.0])
    patches = rewards.view(3, 1, 1).expand(3, 2, 2)
    single = AdvantageEstimator(rl_settings(), CPU)(Scores(rewards, None), TWO, (2,))
    torch.testing.assert_close(
        intermediate(patches, TWO, (2,), discount=1.0, whole_weight=1.0), single
    )


def test_a_hand_made_map_gives_the_closed_form():
    """One patch of one image is good: only the codes at and before it gain, by 0.5 a code."""
    patches = torch.zeros(2, 2, 2)
    patches[0, 1, 0] = 1.0  # the third in raster order
    credit = intermediate(patches, TWO, (2,), discount=0.5, whole_weight=0.0)
    returns = torch.tensor([0.25, 0.5, 1.0, 0.0])
    expected = torch.stack((returns, -returns))  # less the other image's
    torch.testing.assert_close(credit, in_units(expected))


def test_a_map_reaches_the_codes_below_it_and_no_others():
    """All of a 4x4 grid is drawn, but of the 8x8 one, and so of the image, its second half."""
    patches = torch.zeros(2, 2, 4)
    patches[0, 0, 1] = 1.0
    rows = (slice(0, 4), slice(4, 8))
    credit = intermediate(patches, rows, (4, 8), discount=0.0, whole_weight=0.0)
    coarse, fine = credit.split((16, 32), 1)
    hit = torch.zeros(4, 4)
    hit[2, 1] = 1.0  # the map's first row is the coarse grid's third
    scale = coarse[0].max()
    torch.testing.assert_close(coarse[0].view(4, 4), scale * hit)
    assert fine[0].view(4, 8)[:2, 2:4].min() > 0.4 * scale
    assert fine[0].view(4, 8)[3].abs().max() == 0


def test_a_large_map_loses_no_patch_on_a_small_grid():
    patches = torch.zeros(2, 8, 8)
    patches[0] = torch.eye(8)
    credit = intermediate(patches, TWO, (2,), discount=0.0, whole_weight=0.0)
    for at in range(8):
        lone = torch.zeros(2, 8, 8)
        lone[0, at, at] = 1.0
        assert intermediate(lone, TWO, (2,), discount=0.0, whole_weight=0.0).abs().max() > 0
    assert credit[0, 0] > 0


def test_rollouts_of_one_context_are_judged_against_each_other():
    """Two groups of two, with contents far apart: the difference within a group is all."""
    patches = torch.tensor([1.0, 3.0, 101.0, 103.0]).view(4, 1, 1).expand(4, 2, 2)
    expected = torch.tensor([-1.0, 1.0, -1.0, 1.0]).unsqueeze(1).expand(4, 4)
    for weight in (0.0, 0.5, 1.0):
        credit = intermediate(
            patches, TWO, (2,), whole_weight=weight, discount=0.0, rollouts_per_context=2
        )
        torch.testing.assert_close(credit, expected)
    settings = rl_settings(rollouts_per_context=2)
    whole = AdvantageEstimator(settings, CPU)(Scores(patches[:, 0, 0], None), TWO, (2,))
    torch.testing.assert_close(whole, expected)


def test_the_scale_is_a_moving_average():
    credit = AdvantageEstimator(rl_settings(), CPU)
    first, second = torch.tensor([1.0, -1.0]), torch.tensor([3.0, -3.0])
    credit(Scores(first, None), TWO, (2,))
    again = credit(Scores(second, None), TWO, (2,))
    square = 0.95 * 4 + 0.05 * 36  # an advantage is the difference of the two
    torch.testing.assert_close(again[:, 0], torch.tensor([6.0, -6.0]) / square**0.5)


def test_a_patchs_score_sees_its_patch_alone():
    settings = critic_settings(stem_stride=2, map_size=8, final_size=4)
    torch.manual_seed(0)
    critic = PixelCritic(settings, 3, 32, 32)
    images = torch.randn(1, 3, 32, 32)
    other = images.clone()
    other[:, :, -1] += 10  # the bottom row
    before, after = critic(images), critic(other)
    assert torch.equal(before.patches[:, :6], after.patches[:, :6])
    assert not torch.equal(before.patches[:, -1], after.patches[:, -1])
    assert not torch.equal(before.whole, after.whole)


def test_a_lazy_penalty_counts_for_the_steps_between():
    """Two steps of a penalty every second step: the first loss holds it twice, the second not."""
    images = torch.randn(4, 3, 16, 16)
    totals = []
    for every, weight in ((1, 2.0), (2, 1.0)):
        torch.manual_seed(0)
        changes = {"penalty_every": every, "gradient_penalty": weight, "loss": "logistic"}
        trainer = CriticTrainer(critic_settings(**changes), 3, 16, 16, CPU)
        totals.append(trainer.update(images, -images)["critic_loss"])
        if every == 2:
            with torch.no_grad():
                score = trainer.critic(images).whole, trainer.critic(-images).whole
            second = trainer.update(images, -images)["critic_loss"]
            torch.testing.assert_close(second, losses.logistic(*score))
    torch.testing.assert_close(totals[0], totals[1])


def test_the_reward_is_the_averaged_critics():
    torch.manual_seed(0)
    trainer = CriticTrainer(critic_settings(), 3, 16, 16, CPU)
    images = torch.randn(4, 3, 16, 16)
    before = trainer.score(images).whole
    trainer.update(images, -images)
    after, newest = trainer.score(images).whole, trainer.critic(images).whole
    assert not torch.equal(before, after)
    assert not torch.equal(after, newest)


@pytest.mark.parametrize("loss", ["wasserstein", "logistic"])
def test_the_critic_learns_to_tell_dark_from_light(loss: str):
    torch.manual_seed(0)
    settings = critic_settings(loss=loss, gradient_penalty=0.1)
    trainer = CriticTrainer(settings, 3, 16, 16, CPU)
    light, dark = torch.full((16, 3, 16, 16), 0.8), torch.full((16, 3, 16, 16), -0.8)
    for _ in range(60):
        figures = trainer.update(light, dark)
    assert float(figures["wasserstein"]) > 1
    assert (trainer.score(light).whole > trainer.score(dark).whole).all()
