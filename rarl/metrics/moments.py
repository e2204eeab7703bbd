"""Mean and covariance of a stream of features, in float64, and their file.

The file is an npz with pytorch-fid's keys `mu` and `sigma`, so that its tools read it too, and
beside them `count` and `metadata`, without which no distance may be told.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from rarl.runtime.errors import UserError
from rarl.runtime.files import atomic


class Moments:
    """The moments of all rows seen so far; memory is O(d^2), whatever the number of rows.

    Blocks are centred on their own mean and merged by Chan, Golub & LeVeque 1979, "Updating
    formulae and a pairwise algorithm for computing sample variances", which loses no digits
    however far the mean is from 0.
    """

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self._mean = np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))  # sum of (x - mean)(x - mean)^T

    @property
    def mean(self) -> Float64[np.ndarray, " d"]:
        return self._mean

    @property
    def covariance(self) -> Float64[np.ndarray, "d d"]:
        """Unbiased (ddof = 1), as numpy.cov. Raises `ValueError` for fewer than two rows."""
        if self.count < 2:
            raise ValueError(f"a covariance needs two rows of features, not {self.count}")
        return self._scatter / (self.count - 1)

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Adds rows. Raises `ValueError` for another width, NaN or infinity."""
        rows = features.detach().cpu().numpy().astype(np.float64)  # (n, d)
        if rows.ndim != 2 or rows.shape[1] != self._mean.size:
            raise ValueError(f"features are {rows.shape}, expected (n, {self._mean.size})")
        if not np.isfinite(rows).all():
            raise ValueError("features hold NaN or infinity")
        if len(rows):
            mean = rows.mean(axis=0)
            rows -= mean
            self._absorb(len(rows), mean, rows.T @ rows)

    def merge(self, other: Self) -> None:
        """Adds the rows that `other` has seen."""
        if other.mean.shape != self.mean.shape:
            raise ValueError(f"moments of widths {self.mean.size} and {other.mean.size}")
        if other.count:
            self._absorb(other.count, other._mean, other._scatter)

    def _absorb(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        """Merges a block: Chan, Golub & LeVeque 1979, the pairwise update, for vectors."""
        total = self.count + count
        delta = mean - self._mean
        self._scatter += scatter
        self._scatter += np.outer(delta, delta * (self.count * count / total))
        self._mean = self._mean + delta * (count / total)
        self.count = total

    def save(self, path: Path, metadata: Mapping[str, Any]) -> None:
        """Writes an npz; `metadata` is what JSON can hold: what was measured and how."""
        with atomic(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                mu=self.mean,
                sigma=self.covariance,
                count=np.int64(self.count),
                metadata=np.str_(json.dumps(metadata, sort_keys=True, allow_nan=False)),
            )


@dataclass(frozen=True)
class SavedMoments:
    """What a file of moments holds."""

    mean: Float64[np.ndarray, " d"]
    covariance: Float64[np.ndarray, "d d"]
    count: int
    metadata: dict[str, Any]


def load(path: Path) -> SavedMoments:
    """Reads what `Moments.save` wrote, bit by bit; unpickles nothing.

    Raises `UserError` when the file is missing, broken, or lacks the count and the metadata.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            saved = SavedMoments(
                mean=file["mu"].astype(np.float64),
                covariance=file["sigma"].astype(np.float64),
                count=int(file["count"]),
                metadata=json.loads(str(file["metadata"])),
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of moments; run the rule that makes it") from None
    except KeyError as error:
        raise UserError(f"{path}: holds no moments of ours: {error.args[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: cannot be read as moments ({' '.join(str(error).split())}); "
            "delete it and run again"
        ) from None
    if saved.mean.ndim != 1 or saved.covariance.shape != (saved.mean.size, saved.mean.size):
        raise UserError(
            f"{path}: mu {saved.mean.shape} and sigma {saved.covariance.shape} do not fit; "
            "delete it and run again"
        )
    return saved
