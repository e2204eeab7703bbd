"""bfloat16: near to float32 where it may differ from it, float32 where it must not."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from test_sampling import enumerated
from test_train_finetune import Fake

from helpers.small_jobs import CODES_CRITIC, CPU, tuning
from helpers.small_settings import critic_settings, rl_settings
from rarl.config import Prior, Vqvae
from rarl.config.stages.train import PriorSettings
from rarl.losses import gradient_penalty
from rarl.models.codes import CodeSet
from rarl.models.onehot import OneHot
from rarl.models.pixelcnn import PixelCNN
from rarl.models.pixelcnn_sampler import PixelCNNSampler
from rarl.models.prior import CodePrior
from rarl.models.quantize import Quantizer
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.rl.critics.pixel import PixelCritic
from rarl.rl.finetune import finetune
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rewards.inputs import load_reward
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.precision import autocast, cast_weights
from rarl.runtime.train_log import TrainLog
from rarl.sampling import sample
from rarl.train.held_out import evaluate_nll
from rarl.train.loop import Loop
from rarl.train.prior import train_prior

MakePrior = Callable[..., PixelCNN]
ROUNDING = 2.0**-8  # of bfloat16, relative


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    assert a.dtype == b.dtype == torch.float32
    return float((a - b).detach().abs().max() / b.detach().abs().max())


@pytest.mark.parametrize(("attention_layers", "conditional"), [(0, False), (2, False), (0, True)])
@torch.no_grad()
def test_logits_are_those_of_float32_but_for_rounding(
    make_prior: MakePrior, attention_layers: int, conditional: bool
):
    prior = make_prior(side=6, attention_layers=attention_layers, conditional=conditional)
    codes = torch.randint(7, (8, 6, 6))
    above = torch.randint(7, (8, 3, 3)) if conditional else None
    exact = prior(codes, above)
    with autocast("bfloat16"):
        rough = prior(codes, above)
    assert 0 < apart(rough, exact) < 8 * ROUNDING
    with autocast("float32"):
        assert torch.equal(prior(codes, above), exact)


@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("given", [0, 3])
@pytest.mark.parametrize("recorded", [False, True])
@torch.no_grad()
def test_the_sampler_has_the_same_logits(
    make_prior: MakePrior, attention_layers: int, conditional: bool, given: int, recorded: bool
):
    prior = make_prior(side=6, attention_layers=attention_layers, conditional=conditional)
    codes = torch.randint(7, (8, 6, 6))
    above = torch.randint(7, (8, 3, 3)) if conditional else None
    exact = prior(codes, above)[:, given:].flatten(1, 2)
    wanted, found = iter(codes[:, given:].flatten(1).unbind(1)), []

    def draw(logits: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        found.append(logits)
        return next(wanted)

    with autocast("bfloat16"):
        fast = cast_weights(prior, codes, but="logits")
        kept = fast.logits.weight, fast.position, prior.link.weight
        assert {fast.link.weight.dtype} == {torch.bfloat16}
        assert {weights.dtype for weights in kept} == {torch.float32}
        state = PixelCNNSampler(fast, draw, 8, recorded=recorded)
        state.begin(codes[:, :given], above, until=6)
        for _ in range(given, 6):
            state.draw_row(torch.zeros(8, 6))
    assert 0 < apart(torch.stack(found, 1), exact) < 8 * ROUNDING


def test_samples_are_of_the_enumerated_distribution_but_for_rounding(
    make_code_prior: Callable[..., CodePrior],
):
    prior = make_code_prior(2, codebook_size=3)
    grids, expected = enumerated(prior, 1.0, 0)
    count = 20_000
    uniforms = torch.rand(count, 4, generator=torch.Generator().manual_seed(0))
    with autocast("bfloat16"):
        (drawn,) = sample(prior, uniforms, temperature=1.0, top_k=0)
    index = (drawn.flatten(1) * torch.tensor([27, 9, 3, 1])).sum(1)
    frequency = torch.bincount(index, minlength=len(grids)) / count
    deviation = (expected * (1 - expected) / count).sqrt()
    assert ((frequency - expected).abs() <= 5 * deviation + 0.05 * expected).all()


def test_the_codebook_of_a_vqvae_and_its_images_are_float32(vqvae_settings: Vqvae):
    torch.manual_seed(0)
    model, images = VQVAE(vqvae_settings, 2), torch.rand(4, 3, 16, 16)
    model.train()(images)  # places the codebooks
    exact = model.eval()(images)
    with autocast("bfloat16"):
        rough = model(images)
        assert apart(rough.images, exact.images) < 8 * ROUNDING
        vqvae_loss(images, model.train()(images), 0.25)["loss"].backward()
    for a, b in zip(rough.quantized, exact.quantized, strict=True):
        assert (a.codes == b.codes).float().mean() > 0.8
    for name, held in model.state_dict().items():
        assert held.dtype in (torch.float32, torch.bool), name
    assert all(weights.grad.dtype == torch.float32 for weights in model.parameters())


def test_the_nearest_code_is_exact():
    torch.manual_seed(0)
    quantizer, flat = Quantizer(200, 8, 0.9, 0.1, unit_length=False), torch.randn(5000, 8)
    quantizer.codebook.normal_()
    with autocast("bfloat16"):
        found = quantizer.nearest(flat)
    assert torch.equal(found, torch.cdist(flat.double(), quantizer.codebook.double()).argmin(1))


@pytest.mark.parametrize("map_size", [0, 8])
def test_the_critic_and_its_penalty(map_size: int):
    torch.manual_seed(0)
    critic = PixelCritic(critic_settings(map_size=map_size, final_size=4), 3, 32, 32)
    real, fake, mix = torch.rand(4, 3, 32, 32), torch.rand(4, 3, 32, 32), torch.rand(4)

    def penalty() -> torch.Tensor:
        return gradient_penalty(lambda images: critic.answer((images,)).total, real, fake, mix)

    exact, exact_penalty = critic.answer((real,)).total, penalty()
    with autocast("bfloat16"):
        assert apart(critic.answer((real,)).total, exact) < 16 * ROUNDING
        rough = penalty()
        rough.backward()
    assert float(rough.detach()) == pytest.approx(float(exact_penalty.detach()), rel=0.05)
    assert any(float(weights.grad.abs().sum()) > 0 for weights in critic.parameters())


def test_every_critic_step_sees_the_weights_of_the_one_before():
    """One context around many steps, as the training loop has it, or one for each."""
    found = []
    for together in (True, False):
        torch.manual_seed(0)
        adversary = CriticTrainer(CODES_CRITIC, 7, 4, 4, CPU)
        real, fake = torch.rand(8, 7, 4, 4), torch.rand(8, 7, 4, 4)
        with autocast("bfloat16") if together else nullcontext():
            for _ in range(3):
                with autocast("bfloat16"):
                    figures = adversary.update(real, fake)
        found.append(float(figures["wasserstein"]))
    assert found[0] == found[1]


@torch.no_grad()
def test_choices_are_made_by_more_than_eight_bits(make_prior: MakePrior):
    critic, prior = PixelCritic(CODES_CRITIC, 7, 4, 4), make_prior(side=4)
    critic.score.bias.fill_(300.0)
    prior.logits.bias.fill_(300.0)
    codes = torch.randint(7, (16, 4, 4))
    with autocast("bfloat16"):
        scores = critic(torch.rand(16, 7, 4, 4)).whole
        logits = prior(codes)
    assert len(scores.unique()) == 16
    assert len(logits.unique()) > 1000  # of 1,792; bfloat16 has but four from 296 to 304


def test_steps_have_the_precision_and_evaluations_do_not(tmp_path: Path):
    seen: list[bool] = []

    def step(_: int) -> dict[str, torch.Tensor]:
        seen.append(torch.is_autocast_enabled("cpu"))
        return {"loss": torch.zeros(())}

    def evaluate(_: int) -> dict[str, float]:
        seen.append(torch.is_autocast_enabled("cpu"))
        return {}

    loop = Loop(
        "x",
        1,
        seed=0,
        log=TrainLog(tmp_path / "log.jsonl"),
        log_every=1,
        evaluate_every=1,
        checkpoints=Checkpoints(tmp_path / "out", {}),
        precision="bfloat16",
    )
    loop.run(step, evaluate, {})
    assert seen == [False, True, False]


def test_a_prior_learns_as_well(
    tmp_path: Path, prior_settings: Prior, codes_of: Callable[..., CodeSet]
):
    of = prior_settings.model_copy(update={"steps": 40, "learning_rate": 1e-2})
    found = {}
    for precision in ("float32", "bfloat16"):
        prior = train_prior(
            PriorSettings(seed=3, grid=0, prior=of, precision=precision),
            codes_of(40),
            codes_of(10),
            device=CPU,
            log=TrainLog(tmp_path / precision),
            checkpoints=Checkpoints(tmp_path / precision, {}),
        )
        assert {weights.dtype for weights in prior.parameters()} == {torch.float32}
        found[precision] = evaluate_nll(prior, codes_of(10), 8)
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.05)
    assert found["bfloat16"] != found["float32"]


def test_reinforce_ends_near(
    tmp_path: Path, make_code_prior: Callable[..., CodePrior], codes_of: Callable[..., CodeSet]
):
    rl = rl_settings(
        iterations=4,
        batch_size=16,
        evaluate_every=2,
        learning_rate=1e-3,
        kl_weight=0.1,
        mle_weight=1.0,
        reward=CODES_CRITIC,
    )
    start, found = make_code_prior(4), {}
    for precision in ("float32", "bfloat16"):
        settings = tuning((4,), rl).model_copy(update={"precision": precision})
        prior, decoder = make_code_prior(4), OneHot(7)
        tuned = finetune(
            settings,
            prior,
            {"train": codes_of(20), "val": codes_of(5)},
            decoder,
            Fake([3.0, 2.0, 1.0]),
            load_reward(settings, prior, decoder, None),
            log=TrainLog(tmp_path / precision),
            checkpoints=Checkpoints(tmp_path / precision, {}),
        )
        assert {weights.dtype for weights in tuned.parameters()} == {torch.float32}
        found[precision] = moved(tuned, start)
    alike = torch.cosine_similarity(found["float32"], found["bfloat16"], 0)
    assert 0.5 < float(alike) < 1 - 1e-6


def moved(tuned: CodePrior, start: CodePrior) -> torch.Tensor:
    pairs = zip(tuned.parameters(), start.parameters(), strict=True)
    return torch.cat([(after - before).detach().flatten() for after, before in pairs])
