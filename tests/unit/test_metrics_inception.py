"""Inception against torch-fidelity and pytorch-fid on the same weights, drawn at random."""

import hashlib
import math
from pathlib import Path

import pytest
import pytorch_fid.inception
import torch
import torchvision
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics import inception
from rarl.metrics.extractor import Extractor
from rarl.metrics.extractors import load_extractor
from rarl.runtime.errors import UserError

CPU = torch.device("cpu")


def settings(weights: Path | None) -> ExtractorSettings:
    path = None if weights is None else str(weights)
    return ExtractorSettings(name="inception", weights=path)


def random_state() -> dict[str, torch.Tensor]:
    """Weights under torchvision's names, scaled so that signals keep their size (He 2015)."""
    state = torchvision.models.inception_v3(
        weights=None, num_classes=1008, aux_logits=False, init_weights=False
    ).state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in state.items():
        if name.endswith("conv.weight"):
            deviation = math.sqrt(2 / tensor[0].numel())
            tensor.copy_(deviation * torch.randn(tensor.shape, generator=generator))
        elif name.endswith("running_mean"):
            tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
        elif name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return state


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(random_state(), path)
    return path


@pytest.fixture(scope="module")
def extractor(weights) -> Extractor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())
        return load_extractor(settings(weights), CPU)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (4, 3, 24, 24), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def ours(extractor, images) -> torch.Tensor:
    return extractor(images)


def test_features_equal_torch_fidelity(ours, weights, images):
    theirs = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights)
    )
    assert ours.shape == (4, 2048)
    assert ours.dtype == torch.float32
    assert ours.std(dim=0).mean() > 0.01 * ours.mean()  # the images are told apart
    torch.testing.assert_close(ours, theirs(images)[0])


def test_features_equal_pytorch_fid_after_the_same_resize(ours, weights, images, monkeypatch):
    monkeypatch.setattr(
        pytorch_fid.inception,
        "load_state_dict_from_url",
        lambda url, progress: torch.load(weights, weights_only=True),
    )
    theirs = pytorch_fid.inception.InceptionV3(resize_input=False, normalize_input=False).eval()
    resized = interpolate_bilinear_2d_like_tensorflow1x(
        images.float(), (299, 299), align_corners=False
    )
    with torch.inference_mode():
        (expected,) = theirs((resized - 128) / 128)
    torch.testing.assert_close(ours, expected[:, :, 0, 0], rtol=1e-4, atol=1e-5)


def test_protocol_names_what_decides_the_number(extractor, weights):
    assert extractor.label == "FID"
    assert extractor.dimension == 2048
    assert extractor.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", inception.FILES)
def test_weights_are_found_in_the_cache_of_torch(name, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    file = tmp_path / "checkpoints" / name
    file.parent.mkdir()
    file.touch()
    assert inception.find() == file


def test_absent_weights_are_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(UserError, match=r"pt_inception-2015-12-05-6726825d\.pth") as caught:
        load_extractor(settings(None), CPU)
    assert str(tmp_path / "checkpoints") in str(caught.value)
    assert "\n" not in str(caught.value)
