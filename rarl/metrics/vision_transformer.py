"""Extractors of which a user brings the weights: DINOv2 and CLIP, timm's networks.

They were not trained on ImageNet's labels, unlike the other extractors. Stein et al. 2023,
"Exposing flaws of generative model evaluation metrics and their unfair treatment of diffusion
models" (arXiv 2306.04675), measure with DINOv2 ViT-L/14; Kynkaanniemi et al. 2023, "The role of
ImageNet classes in Frechet Inception distance" (arXiv 2203.06026), with CLIP ViT-B/32. The networks
see 224 pixels.

The file is a safetensors file with timm's names of tensors, or the names that the networks were
published with. As several such files hold the same weights, no one hash is expected: the file's own
is part of the protocol.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import timm
import torch
from jaxtyping import Float32, UInt8
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn
from torch import Tensor

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractor import Extractor
from rarl.metrics.resizing import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Colour,
    described,
    resized,
    standardised,
)
from rarl.metrics.weights import read_safetensors
from rarl.runtime.errors import UserError

SIZE = 224  # pixels, of the images that the networks see
CLIP_MEAN: Colour = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION: Colour = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Variant:
    """One of the networks, and the images that it was trained on."""

    label: str
    network: str  # timm's name
    outputs: int  # of the last layer; 0 where there is none: the class token is the feature
    dimension: int
    mean: Colour
    deviation: Colour


VARIANTS = {
    "dinov2_vits14": Variant(
        "FD-DINOv2-S", "vit_small_patch14_dinov2", 0, 384, IMAGENET_MEAN, IMAGENET_DEVIATION
    ),
    "dinov2_vitl14": Variant(
        "FD-DINOv2-L", "vit_large_patch14_dinov2", 0, 1024, IMAGENET_MEAN, IMAGENET_DEVIATION
    ),
    "clip_vitb32": Variant(  # OpenAI's weights need its quick GELU
        "FD-CLIP-B", "vit_base_patch32_clip_quickgelu_224", 512, 512, CLIP_MEAN, CLIP_DEVIATION
    ),
}


def from_settings(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """As `load`; what a registry calls."""
    return load(settings.name, settings.weights, device)


def load(name: str, weights: str | None, device: torch.device) -> Extractor:
    """Features of a vision transformer: (B, 3, H, W) uint8 to (B, d), of its class token.

    `weights` is the path of the file. Raises `UserError` when it is None, can't be read or does
    not hold the tensors of this network.
    """
    of = VARIANTS[name]
    if weights is None:
        raise UserError(
            f"evaluation.weights: {name} has no weights in a package; set evaluation.weights to "
            f"the path of a safetensors file of timm's {of.network}"
        )
    state, sha256 = read_safetensors(Path(weights))
    network = build(of)
    fill(network, state, weights)
    network = network.eval().requires_grad_(False).to(device)

    def pooled(images: Tensor) -> Tensor:
        features: Tensor = network(prepare(images, of))
        return features[:, :, None, None]  # its places are tokens, of which the feature is no mean

    return Extractor(
        name=name,
        label=of.label,
        dimension=of.dimension,
        weights_sha256=sha256,
        resize=described(SIZE, "bicubic"),
        device=device,
        network=pooled,
    )


def build(of: Variant) -> VisionTransformer:
    """timm's network, with weights of any kind."""
    made = timm.create_model(of.network, img_size=SIZE, num_classes=of.outputs)
    return cast(VisionTransformer, made)


def fill(network: VisionTransformer, state: dict[str, Tensor], path: str) -> None:
    """Loads `state` strictly. timm renames tensors and resizes the position embedding.

    Raises `UserError` when tensors are missing, left over or of another shape.
    """
    try:
        network.load_state_dict(checkpoint_filter_fn(state, network))
    except (RuntimeError, KeyError) as error:
        raise UserError(
            f"{path}: holds other tensors than this network's "
            f"({' '.join(str(error).split())[:200]}); correct evaluation.weights"
        ) from None


def prepare(
    images: UInt8[Tensor, "batch 3 height width"], of: Variant
) -> Float32[Tensor, "batch 3 224 224"]:
    """Images at the network's size, standardised as those it was trained on."""
    return standardised(resized(images, SIZE, "bicubic").clamp(0, 255), of.mean, of.deviation)
