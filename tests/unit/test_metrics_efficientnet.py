"""EfficientNet-Lite0 against an independent load of the same weights, by position."""

import numpy as np
import pytest
import timm
import torch

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics import efficientnet
from rarl.metrics.extractor import pool
from rarl.metrics.extractors import load_extractor
from rarl.metrics.folding import fold_batch_norm

CPU = torch.device("cpu")
LITE0 = "efficientnet_lite0"


def shipped(name: str = LITE0) -> dict[str, torch.Tensor]:
    file = efficientnet.VARIANTS[name].file.get_model_file_path()
    return torch.load(file, weights_only=True)


def by_position(variant: str, name: str = LITE0) -> torch.nn.Module:
    network = timm.create_model(variant, num_classes=1000).eval()
    values = shipped(name).values()
    network.load_state_dict(dict(zip(network.state_dict(), values, strict=True)))
    network.reset_classifier(0)
    return network


def make_images(size: int, n: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(size)
    small = torch.randint(0, 256, (n, 3, 8, 8), generator=generator).float()
    return torch.nn.functional.interpolate(small, (size, size), mode="bicubic").clamp(0, 255).byte()


@pytest.fixture(scope="module", params=efficientnet.VARIANTS)
def extractor(request):
    return load_extractor(ExtractorSettings(name=request.param, weights=None), CPU)


@pytest.mark.parametrize(
    ("name", "count"), [(LITE0, 296), ("efficientnet_lite1", 386), ("efficientnet_lite2", 386)]
)
def test_key_map_covers_every_tensor_of_timm_with_its_shape(name, count):
    theirs = timm.create_model(f"tf_{name}", num_classes=1000).state_dict()
    blocks = efficientnet.VARIANTS[name].blocks
    ours = {efficientnet.timm_name(key, blocks): tensor for key, tensor in shipped(name).items()}
    assert len(shipped(name)) == len(ours) == count
    assert list(ours) == list(theirs)
    assert [t.shape for t in ours.values()] == [t.shape for t in theirs.values()]


@pytest.mark.parametrize("name", ["_bn3.weight", "_blocks.0._expand_conv.weight", "stem"])
def test_unknown_names_are_refused(name):
    with pytest.raises(KeyError):
        efficientnet.timm_name(name, (1, 2))


def test_features_equal_an_independent_load(extractor):
    images = make_images(128)
    with torch.inference_mode():
        expected = by_position(f"tf_{extractor.name}", extractor.name)(
            (images.float() - 127.5) / 127.5
        )
    assert expected.std() > 0.1
    got = extractor(images)
    assert got.shape == (3, 1280)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_folded_batch_norm_moves_features_by_1e_5_at_most(extractor):
    images = make_images(64, n=8)
    stored = by_position(f"tf_{extractor.name}", extractor.name)
    folded = fold_batch_norm(by_position(f"tf_{extractor.name}", extractor.name))
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in stored.modules())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        expected = stored(efficientnet.prepare(images))
        assert (folded(efficientnet.prepare(images)) - expected).norm() <= 1e-5 * expected.norm()
    assert (extractor(images) - expected).norm() <= 1e-5 * expected.norm()


def test_the_extractor_computes_no_batch_norm(extractor):
    with torch.profiler.profile() as profile:
        extractor(make_images(64))
    names = {event.key for event in profile.key_averages()}
    assert any("convolution" in name for name in names)
    assert not any("batch_norm" in name for name in names)


def test_features_are_the_mean_of_their_maps(extractor):
    images = make_images(64)
    maps = extractor.maps(images)
    assert maps.shape == (3, 1280, 4, 4)
    assert torch.equal(pool(maps), extractor(images))
    torch.testing.assert_close(maps.mean((2, 3)), extractor(images))


def test_the_tf_variant_matters():
    """The other variant loads the same tensors without complaint and answers otherwise."""
    x = (make_images(128).float() - 127.5) / 127.5
    with torch.inference_mode():
        right, wrong = by_position("tf_efficientnet_lite0")(x), by_position("efficientnet_lite0")(x)
    assert (right - wrong).norm() > 0.1 * right.norm()


def test_features_do_not_depend_on_the_batch(extractor):
    images = make_images(64)
    one_by_one = torch.cat([extractor(image[None]) for image in images])
    torch.testing.assert_close(extractor(images), one_by_one, rtol=1e-4, atol=1e-4)


def test_pixels_at_128_are_only_rescaled():
    images = make_images(128)
    expected = images.double().numpy() / 255 * 2 - 1
    np.testing.assert_allclose(efficientnet.prepare(images).numpy(), expected, atol=1e-6)


def test_halving_is_antialiased():
    """A triangle filter of twice the width has the taps 1 3 3 1 over 8."""
    images = torch.randint(0, 256, (1, 3, 256, 256), dtype=torch.uint8)
    x = images[0, 0].double().numpy() / 127.5 - 1
    taps = np.array([1, 3, 3, 1]) / 8
    inside = np.arange(1, 127)
    rows = sum(tap * x[2 * inside - 1 + k] for k, tap in enumerate(taps))
    expected = sum(tap * rows[:, 2 * inside - 1 + k] for k, tap in enumerate(taps))
    got = efficientnet.prepare(images)[0, 0, 1:-1, 1:-1].numpy()
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_doubling_is_bilinear_between_pixel_centres():
    images = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    row = images[0, 1, 0].double().numpy() / 127.5 - 1
    got = efficientnet.prepare(images)[0, 1, 0].numpy()  # the top edge repeats the first row
    np.testing.assert_allclose(got[1:-1:2], 0.75 * row[:-1] + 0.25 * row[1:], atol=1e-5)
    np.testing.assert_allclose(got[2::2], 0.25 * row[:-1] + 0.75 * row[1:], atol=1e-5)


def test_it_is_never_called_fid(extractor):
    assert extractor.label == f"FD-EffLite{extractor.name[-1]}"
    assert extractor.dimension == 1280
    file = efficientnet.VARIANTS[extractor.name].file.get_model_file_path()
    assert extractor.protocol["weights_sha256"][:8] in file  # as the file's name says
