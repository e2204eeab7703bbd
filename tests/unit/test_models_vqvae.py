"""The VQ-VAE: sizes, agreement of its parts, pixels."""

import pytest
import torch

from rarl.config import Vqvae
from rarl.data.pixels import to_pixels, to_unit
from rarl.models.vqvae import VQVAE, vqvae_loss


def trained_once(settings: Vqvae, grids: int = 1) -> VQVAE:
    torch.manual_seed(0)
    model = VQVAE(settings, grids).train()
    model(torch.rand(4, 3, 16, 16) * 2 - 1)  # starts the codebook
    return model.eval()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("filters", [(3, 4), (5, 2), (3, 6)])
def test_the_grid_is_the_image_over_two_to_the_layers(
    vqvae_settings: Vqvae, layers: int, filters: tuple[int, int]
):
    encoder, decoder = filters
    changes = {"layers": layers, "encoder_filter": encoder, "decoder_filter": decoder}
    model = trained_once(vqvae_settings.model_copy(update=changes))
    images = torch.rand(2, 3, 32, 32)
    (codes,) = model.encode(images)
    assert codes.shape == (2, 32 // 2**layers, 32 // 2**layers)
    assert model.decode((codes,)).shape == images.shape


@pytest.mark.parametrize("filters", [(3, 4), (5, 2)])
@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
def test_a_coarse_grid_has_half_the_side(
    vqvae_settings: Vqvae, filters: tuple[int, int], upsampling: str
):
    encoder, decoder = filters
    changes = {
        "encoder_filter": encoder,
        "decoder_filter": decoder,
        "upsampling": upsampling,
    }
    model = trained_once(vqvae_settings.model_copy(update=changes), grids=2)
    images = torch.rand(2, 3, 32, 32)
    top, bottom = model.encode(images)
    assert (top.shape, bottom.shape) == ((2, 4, 4), (2, 8, 8))
    assert model.decode((top, bottom)).shape == images.shape


@pytest.mark.parametrize("grids", [1, 2])
def test_decoding_the_codes_is_the_forward_pass(vqvae_settings: Vqvae, grids: int):
    model = trained_once(vqvae_settings, grids)
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    out, codes = model(images), model.encode(images)
    for mine, theirs in zip(codes, out.quantized, strict=True):
        assert torch.equal(mine, theirs.codes)
    torch.testing.assert_close(model.decode(codes), out.images)


def test_both_grids_reach_the_image_and_learn(vqvae_settings: Vqvae):
    model = trained_once(vqvae_settings, 2)
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    top, bottom = model.encode(images)
    before = model.decode((top, bottom))
    assert not torch.equal(model.decode(((top + 1) % 16, bottom)), before)
    assert not torch.equal(model.decode((top, (bottom + 1) % 16)), before)
    model.train()
    vqvae_loss(images, model(images), 0.25)["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(("upsampling", "flat"), [("nearest", True), ("transposed", False)])
@pytest.mark.parametrize("grids", [1, 2])
def test_nearest_upsampling_has_no_checkerboard(
    vqvae_settings: Vqvae, upsampling: str, flat: bool, grids: int
):
    """Equal codes everywhere give equal pixels, but near the border, where zeros are added."""
    model = trained_once(vqvae_settings.model_copy(update={"upsampling": upsampling}), grids)
    sides = (8, 16)[-grids:]
    images = model.decode(tuple(torch.full((1, side, side), 3) for side in sides))
    inner = images[:, :, 24:40, 24:40]
    apart = float((inner - inner.mean((2, 3), keepdim=True)).abs().max().detach())
    assert apart < 1e-6 if flat else apart > 1e-2


@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
def test_the_last_layer_makes_the_image(vqvae_settings: Vqvae, upsampling: str):
    model = trained_once(vqvae_settings.model_copy(update={"upsampling": upsampling}))
    with torch.no_grad():
        model.last_layer.zero_()
    images = model.decode((torch.randint(16, (2, 4, 4)),))
    bias = list(model.decoder.parameters())[-1]
    torch.testing.assert_close(images, bias.view(1, 3, 1, 1).expand(2, 3, 16, 16))


def test_the_loss_adds_mse_and_weighted_commitment(vqvae_settings: Vqvae):
    model = trained_once(vqvae_settings)
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    out = model(images)
    parts = vqvae_loss(images, out, 0.25)
    mse = float(((out.images - images) ** 2).mean().detach())
    commitment = float(out.quantized[0].commitment.detach())
    assert float(parts["loss"].detach()) == pytest.approx(mse + 0.25 * commitment, rel=1e-6)


def test_every_pixel_value_survives_the_round_trip():
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    assert torch.equal(to_pixels(to_unit(pixels)), pixels)
    assert to_unit(pixels).min() == -1
    assert to_unit(pixels).max() == 1


def test_pixels_out_of_range_are_clipped():
    images = torch.tensor([-7.0, 7.0]).view(1, 1, 1, 2)
    assert to_pixels(images).flatten().tolist() == [0, 255]
