"""The VQ-VAE: sizes, agreement of its parts, pixels."""

import pytest
import torch

from rarl.config import Vqvae
from rarl.models.vqvae import VQVAE, to_pixels, to_unit, vqvae_loss


def trained_once(settings: Vqvae) -> VQVAE:
    torch.manual_seed(0)
    model = VQVAE(settings).train()
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


def test_decoding_the_codes_is_the_forward_pass(vqvae_settings: Vqvae):
    model = trained_once(vqvae_settings)
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    out = model(images)
    (codes,) = model.encode(images)
    assert torch.equal(codes, out.quantized[0].codes)
    torch.testing.assert_close(model.decode((codes,)), out.images)


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
