"""The losses of a sharper VQ-VAE, each against what defines it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from helpers.small_jobs import CPU, LOG, OUT, SHARP, inputs
from helpers.small_settings import ADVERSARIAL, PERCEPTUAL
from rarl.config import Vqvae
from rarl.config.stages.train import VqvaeSettings
from rarl.losses import hinge
from rarl.metrics import efficientnet
from rarl.models.discriminator import Discriminator
from rarl.models.vqvae_file import load_vqvae
from rarl.stages import vqvae
from rarl.train.adversarial import DiscriminatorTrainer
from rarl.train.perceptual import PerceptualLoss

__all__ = ["inputs"]  # a fixture


@pytest.fixture(scope="module")
def perceptual() -> PerceptualLoss:
    return PerceptualLoss(PERCEPTUAL, CPU)


@torch.no_grad()
def test_maps_are_those_on_the_way_to_the_features(perceptual: PerceptualLoss):
    torch.manual_seed(0)
    network = efficientnet.load_network("efficientnet_lite1", None, CPU)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    maps = perceptual.maps(images)
    assert [of.shape[-1] for of in maps] == [32, 16, 8, 4, 2]
    features = network.bn2(network.conv_head(maps[-1]))
    torch.testing.assert_close(features, network.forward_features(images))


def test_it_is_zero_at_the_images_and_pulls_the_reconstructions(perceptual: PerceptualLoss):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    assert float(perceptual(images, images.detach())) == pytest.approx(0, abs=1e-6)
    fake = (images.detach() + 0.1 * torch.randn(2, 3, 32, 32)).requires_grad_()
    loss = perceptual(images, fake)
    loss.backward()
    assert images.grad is None
    with torch.no_grad():
        step = fake - 0.1 * fake.grad / fake.grad.norm()
        assert 0 < float(perceptual(images, step)) < float(loss)


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_its_patch_and_nothing_else(layers: int, patch: int):
    torch.manual_seed(0)
    discriminator = Discriminator(4, 8, layers)
    images = torch.rand(2, 3, 128, 128, requires_grad=True)
    scores = discriminator(images)
    side = 128 // 2**layers - 2
    assert scores.shape == (2, side, side)
    scores[0, side // 2, side // 2].backward()
    seen = images.grad.abs().sum((1, 3)) > 0  # rows
    assert int(seen[0].sum()) == patch
    assert not seen[1].any()


def test_the_adversarial_gradient_is_as_long_as_the_others_times_its_weight():
    torch.manual_seed(0)
    trainer = DiscriminatorTrainer(ADVERSARIAL, CPU)
    images, decoder = torch.rand(4, 3, 16, 16), nn.Conv2d(3, 3, 1)
    made = decoder(images)
    others = (made - images).square().mean()
    parts = trainer.add_to(others, made, decoder.weight)

    def gradient(of: Tensor) -> Tensor:
        return torch.autograd.grad(of, decoder.weight, retain_graph=True)[0]

    added = gradient(parts["loss"]) - gradient(others)
    assert float(added.norm()) == pytest.approx(0.5 * float(gradient(others).norm()), rel=0.05)
    mean = trainer.discriminator(made).mean()
    torch.testing.assert_close(parts["adversarial"], -mean)
    parts["loss"].backward()
    assert all(weights.grad is None for weights in trainer.discriminator.parameters())
    assert all(weights.requires_grad for weights in trainer.discriminator.parameters())


def test_the_discriminator_learns_to_tell_them_apart():
    torch.manual_seed(0)
    trainer = DiscriminatorTrainer(ADVERSARIAL.model_copy(update={"learning_rate": 1e-2}), CPU)
    real, fake = torch.rand(8, 3, 16, 16), torch.rand(8, 3, 16, 16) - 1
    before = hinge(trainer.discriminator(real), trainer.discriminator(fake))
    assert torch.equal(trainer.update(real, fake), before)
    for _ in range(60):
        trainer.update(real, fake)
    assert float(trainer.discriminator(real).mean()) > 0.5
    assert float(trainer.discriminator(fake).mean()) < -0.5


Train = Callable[..., list[dict[str, float]]]


@pytest.fixture
def train(tmp_path: Path, inputs: Path, vqvae_settings: Vqvae) -> Train:
    """Trains a VQ-VAE with some settings changed; what it logged of its steps."""

    def run(precision: str = "float32", **changes: object) -> list[dict[str, float]]:
        of = vqvae_settings.model_copy(update=changes)
        settings = VqvaeSettings(seed=0, latents=(4,), vqvae=of, precision=precision, limits={})
        files = {"output": tmp_path / OUT, "metrics": tmp_path / LOG}
        vqvae.run(settings, data=inputs / "manifest.json", **files)
        lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
        return [line for line in lines if "loss" in line]

    return run


def test_the_loss_is_the_sum_that_the_log_shows(train: Train):
    for line in train(**SHARP):
        loss = line["mse"] + 0.25 * line["commitment"] + 0.5 * line["perceptual"]
        if line["step"] > ADVERSARIAL.start_step:
            loss += 0.5 * line["adaptive_weight"] * line["adversarial"]
            assert line["discriminator"] >= 0
        assert line["loss"] == pytest.approx(loss, rel=1e-5)


def test_before_its_start_the_discriminator_changes_nothing(train: Train):
    without, with_it = train(), train(adversarial=ADVERSARIAL)
    names = [[name for name in line if "seconds" not in name] for line in without]
    for step in range(ADVERSARIAL.start_step):
        assert [with_it[step][name] for name in names[step]] == list(
            without[step][name] for name in names[step]
        )
        assert "discriminator" not in with_it[step]
    assert "discriminator" in with_it[ADVERSARIAL.start_step]
    assert with_it[-1]["mse"] != without[-1]["mse"]


def test_in_bfloat16_it_is_near(train: Train, tmp_path: Path):
    exact = train(**SHARP)
    rough = train("bfloat16", **SHARP)
    for a, b in zip(exact, rough, strict=True):
        assert b["mse"] == pytest.approx(a["mse"], rel=0.05)
        assert b["perceptual"] == pytest.approx(a["perceptual"], rel=0.1)
    weights = load_vqvae(tmp_path / OUT, CPU).parameters()
    assert {of.dtype for of in weights} == {torch.float32}
