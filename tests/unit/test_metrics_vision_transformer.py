"""DINOv2 and CLIP against timm's own loading and forward pass, with random weights."""

import hashlib
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.data import create_transform

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics import vision_transformer
from rarl.metrics.extractor import Extractor
from rarl.metrics.extractors import load_extractor
from rarl.runtime.errors import UserError

CPU = torch.device("cpu")
SMALL = ("dinov2_vits14", "clip_vitb32")  # a ViT-L takes 1.2 GB
HUB = {  # timm's names of the published networks
    "dinov2_vits14": "vit_small_patch14_dinov2.lvd142m",
    "dinov2_vitl14": "vit_large_patch14_dinov2.lvd142m",
    "clip_vitb32": "vit_base_patch32_clip_quickgelu_224.openai",
}


def extractor(name: str, weights: Path | None) -> Extractor:
    path = None if weights is None else str(weights)
    return load_extractor(ExtractorSettings(name=name, weights=path), CPU)


def images(size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(size)
    small = torch.randint(0, 256, (2, 3, 8, 8), generator=generator).float()
    return torch.nn.functional.interpolate(small, (size, size), mode="bicubic").clamp(0, 255).byte()


@pytest.fixture(scope="module", params=SMALL)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def weights(name, tmp_path_factory) -> Path:
    """A network as it is published: DINOv2's positions are those of 518 pixels."""
    torch.manual_seed(0)
    network = timm.create_model(HUB[name], pretrained=False)
    with torch.no_grad():  # timm starts with tiny positions and layer scales: they would not count
        for key, tensor in network.named_parameters():
            if key == "pos_embed" or key.endswith("gamma"):
                tensor.normal_(0, 0.5)
    path = tmp_path_factory.mktemp("weights") / f"{name}.safetensors"
    save_file(network.state_dict(), path)
    return path


def test_features_equal_timms_own(name, weights):
    theirs = timm.create_model(
        HUB[name], img_size=224, pretrained=True, pretrained_cfg_overlay={"file": str(weights)}
    ).eval()
    given, cfg = images(224), theirs.pretrained_cfg
    mean, deviation = (torch.tensor(cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        expected = theirs((given.float() / 255 - mean) / deviation)
    assert (expected[0] - expected[1]).norm() > 0.01 * expected.norm()  # images are told apart
    got = extractor(name, weights)(given)
    assert got.shape == expected.shape == (2, vision_transformer.VARIANTS[name].dimension)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_images_are_prepared_as_timm_does_but_for_pillows_rounding(name):
    """Pillow rounds the resized image to 8 bits, twice."""
    of = vision_transformer.VARIANTS[name]
    transform = create_transform(
        (3, 224, 224), mean=of.mean, std=of.deviation, interpolation="bicubic", crop_pct=1.0
    )
    (given, *_) = images(64)
    expected = transform(Image.fromarray(given.permute(1, 2, 0).numpy()))
    got = vision_transformer.prepare(given.unsqueeze(0), of)[0]
    torch.testing.assert_close(got, expected, rtol=0, atol=1.5 / 255 / min(of.deviation))


@pytest.mark.parametrize("name", vision_transformer.VARIANTS, scope="function")
def test_variants_state_what_timm_knows_of_the_published_networks(name):
    cfg, of = timm.get_pretrained_cfg(HUB[name]), vision_transformer.VARIANTS[name]
    assert HUB[name].startswith(f"{of.network}.")
    assert (of.mean, of.deviation, of.outputs) == (cfg.mean, cfg.std, cfg.num_classes)
    assert cfg.interpolation == "bicubic"
    with torch.device("meta"):
        network = vision_transformer.build(of)
    assert of.dimension == (of.outputs or network.num_features)


def test_dinov2_loads_under_its_first_names_too(tmp_path):
    """Facebook's file has one tensor more, which is of no use here."""
    torch.manual_seed(0)
    state = timm.create_model(HUB["dinov2_vits14"], pretrained=False).state_dict()
    paths = [tmp_path / f"{whose}.safetensors" for whose in ("timm", "facebook")]
    save_file(state, paths[0])
    save_file({**state, "mask_token": torch.zeros(1, 384)}, paths[1])
    by_timm, by_facebook = (extractor("dinov2_vits14", path)(images(32)) for path in paths)
    assert torch.equal(by_timm, by_facebook)


def test_protocol_names_what_decides_the_number(name, weights):
    of = extractor(name, weights)
    assert of.protocol == {
        "extractor": name,
        "label": vision_transformer.VARIANTS[name].label,
        "dimension": of.dimension,
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "resize": "bicubic to 224x224, antialiased",
    }


def test_no_file_is_told_in_one_line(name):
    with pytest.raises(UserError, match=r"set evaluation\.weights to the path") as caught:
        extractor(name, None)
    assert "\n" not in str(caught.value)


def test_tensors_of_another_network_are_refused_in_one_line(name, weights, tmp_path):
    state = load_file(weights)
    del state["norm.weight"]
    path = tmp_path / "part.safetensors"
    save_file(state, path)
    with pytest.raises(UserError, match=r"part\.safetensors: .*norm\.weight") as caught:
        extractor(name, path)
    assert "\n" not in str(caught.value)
