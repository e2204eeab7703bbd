"""Images as a user has them, and as the models have them: uint8 tensors, (B, 3, H, W)."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image

# The names of `output_type` in diffusers. "pil": a list of PIL images; "np": (B, H, W, 3) uint8;
# "pt": (B, 3, H, W) uint8, on the model's device.
OutputType = Literal["pil", "np", "pt"]
Images: TypeAlias = Tensor | NDArray[np.uint8] | Image.Image | Sequence[Image.Image]


def to_tensor(images: Images, size: int) -> UInt8[Tensor, "b 3 size size"]:
    """One PIL image or several, an array (H, W, 3) or (B, H, W, 3), a tensor (B, 3, H, W).

    PIL images of any mode are read as RGB. Nothing is resized or cropped. Raises ValueError for
    images that are not uint8 RGB of `size` x `size` pixels.
    """
    match images:
        case Tensor():
            tensor = images
        case np.ndarray():
            tensor = torch.from_numpy(images if images.ndim == 4 else images[None]).movedim(-1, 1)
        case Image.Image():
            tensor = pil_to_tensor(images.convert("RGB"))[None]
        case _:
            tensor = _stacked(images)
    if tensor.dtype != torch.uint8 or tuple(tensor.shape[1:]) != (3, size, size):
        raise ValueError(
            f"images are {tensor.dtype} {tuple(tensor.shape)}, expected uint8 "
            f"(B, 3, {size}, {size})"
        )
    return tensor


def from_tensor(
    images: UInt8[Tensor, "b 3 h w"], output_type: OutputType
) -> Tensor | NDArray[np.uint8] | list[Image.Image]:
    """`images` in the form that `output_type` names."""
    check(output_type)
    if output_type == "pt":
        return images
    if output_type == "np":
        return images.movedim(1, -1).cpu().numpy()
    return [to_pil_image(image) for image in images.cpu()]


def check(output_type: str) -> None:
    """Raises ValueError for an unknown name."""
    if output_type not in get_args(OutputType):
        known = ", ".join(get_args(OutputType))
        raise ValueError(f"output_type={output_type!r} is none of {known}")


def _stacked(images: Sequence[Image.Image]) -> Tensor:
    if not images:
        raise ValueError("there are no images")
    sizes = {image.size for image in images}
    if len(sizes) > 1:
        raise ValueError(f"images have several sizes: {', '.join(map(str, sorted(sizes)))}")
    return torch.stack([pil_to_tensor(image.convert("RGB")) for image in images])
