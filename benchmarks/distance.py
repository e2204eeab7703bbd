"""The Frechet distance and what comes before it, against the plain way, side by side.

    OMP_NUM_THREADS=1 python benchmarks/distance.py

- The distance at d = 2048 against scipy's `sqrtm` of the product of the covariances, by which
  pytorch-fid computes it. The second covariance is T S T of the first, S, with a diagonal T, whose
  trace of the root is that of T S: so the errors of both are known.
- Moments, streamed, against `numpy.cov` of all features: with more of them the first takes no
  more memory.
- Features a second against the same network as timm makes it.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy
import timm
import torch
from timing import Product, alone, flops, now, peak_memory, seconds, show
from torch import Tensor

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.efficientnet import SIZE
from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.metrics.frechet import frechet_distance
from rarl.metrics.moments import Moments
from rarl.runtime import device

EXTRACTOR = ExtractorSettings(name="efficientnet_lite0", weights=None)
FEATURES = 1280  # of an image
BATCH = 100  # images, as in config.yaml


@dataclass(frozen=True)
class Normal:
    mean: np.ndarray  # (d,)
    covariance: np.ndarray  # (d, d)


def pair(dimension: int, count: int) -> tuple[Normal, Normal, float]:
    """The Gaussian of `count` random features, another, and their distance in closed form."""
    random = np.random.default_rng(0)
    mixing = random.standard_normal((dimension, dimension)) / dimension**0.5
    first = np.cov(random.standard_normal((count, dimension)) @ mixing, rowvar=False)
    scale = random.uniform(0.5, 1.5, dimension)  # the diagonal of T
    second = scale[:, None] * first * scale
    mean = random.standard_normal(dimension) / dimension**0.5
    traces = np.trace(first) + np.trace(second) - 2 * (scale @ np.diag(first))
    return Normal(np.zeros(dimension), first), Normal(mean, second), float(mean @ mean + traces)


def by_sqrtm(a: Normal, b: Normal) -> float:
    """The distance as its formula stands, the root by scipy."""
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance)
    difference = a.mean - b.mean
    traces = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root).real
    return float(difference @ difference + traces)


def distance_row(dimension: int, count: int) -> list[str]:
    a, b, exact = pair(dimension, count)
    product, found = Product(dimension, torch.float64), {}

    def ours() -> None:
        found["ours"] = frechet_distance(a, b)

    def theirs() -> None:
        found["theirs"] = by_sqrtm(a, b)

    fast, slow, once = seconds(ours, theirs, product)
    errors = (abs(value / exact - 1) for value in (found["ours"], found["theirs"]))
    return [
        f"d = {dimension}, {count} images",
        f"{fast:.1f}",
        f"{slow:.1f}",
        f"{slow / fast:.1f}x",
        f"{fast / once:.0f}",
        f"{slow / once:.0f}",
        *(f"{error:.0e}" for error in errors),
    ]


def rows(count: int) -> Iterator[Tensor]:
    """Random features in blocks."""
    random = torch.Generator().manual_seed(0)
    for _ in range(count // BATCH):
        yield torch.rand(BATCH, FEATURES, generator=random)


def streamed(count: int) -> None:
    moments = Moments(FEATURES)
    for block in rows(count):
        moments.update(block)
    moments.covariance.trace()


def kept(count: int) -> None:
    features = torch.cat(list(rows(count))).numpy().astype(np.float64)
    features.mean(0), np.cov(features, rowvar=False).trace()


def cost(work: Callable[[int], None], count: int) -> tuple[float, float]:
    """Seconds, and MiB at the peak beyond the start."""
    start, began = peak_memory(), now()
    work(count)
    return now() - began, peak_memory() - start


def moments_row(count: int) -> list[str]:
    (fast, little), (slow, much) = (alone(cost, work, count) for work in (streamed, kept))
    return [
        f"moments of {count:,} images",
        f"{fast:.1f}",
        f"{slow:.1f}",
        f"{slow / fast:.2f}x",
        f"{little:.0f}",
        f"{much:.0f}",
    ]


def images(count: int, size: int) -> Iterator[Tensor]:
    """Random images in batches, none of which is kept."""
    for start in range(0, count, BATCH):
        yield torch.randint(256, (min(BATCH, count - start), 3, size, size), dtype=torch.uint8)


def extraction(count: int, size: int) -> tuple[float, float]:
    """Seconds, and MiB at the peak beyond what the network holds."""
    extractor = load_extractor(EXTRACTOR, device.pick())
    return cost(lambda n: extract(extractor, images(n, size)), count)


def features_rows(counts: list[int], size: int) -> list[list[str]]:
    """A batch, beside the plain network and a matrix product; then more and more images."""
    extractor, product = load_extractor(EXTRACTOR, device.pick()), Product()
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval().to(device.pick())
    batch = next(images(BATCH, size))

    @torch.no_grad()
    def plain() -> None:
        sized = torch.nn.functional.interpolate(
            batch.to(device.pick(), torch.float32), (SIZE, SIZE), mode="bilinear", antialias=True
        )
        network(sized / 127.5 - 1)

    fast, slow, once = seconds(lambda: extractor(batch), plain, product)
    work = flops(plain)
    reached = work / fast / (product.flops / once)
    found = [
        [
            f"a batch of {BATCH}",
            f"{BATCH / fast:.1f}",
            f"{BATCH / slow:.1f}",
            f"{slow / fast:.2f}x",
            f"{work / BATCH / 1e9:.2f}",
            f"{reached:.0%}",
            "",
        ]
    ]
    for count in counts:
        spent, mib = alone(extraction, count, size)
        found.append([f"{count:,}, streamed", f"{count / spent:.1f}", "", "", "", "", f"{mib:.0f}"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dimension", type=int, default=2048)
    parser.add_argument("--size", type=int, default=64, help="pixels of the images")
    parser.add_argument("--counts", type=int, nargs="+", default=[200, 800], help="of images")
    options = parser.parse_args()
    show(
        f"Frechet distance; scipy {scipy.__version__}",
        [
            "covariances",
            "s",
            "sqrtm, s",
            "speed-up",
            "in products of d x d",
            "sqrtm, in products",
            "error",
            "sqrtm, error",
        ],
        [distance_row(options.dimension, n) for n in (2 * options.dimension, 1000)],
    )
    show(
        f"Moments of {FEATURES} features",
        ["what", "streamed, s", "numpy.cov, s", "speed-up", "MiB", "numpy.cov, MiB"],
        [moments_row(n) for n in (10_000, 50_000)],
    )
    show(
        f"Features (FD-EffLite0) of images of {options.size} pixels",
        [
            "images",
            "images / s",
            "plain timm",
            "speed-up",
            "GFLOP / image",
            "of peak FLOP/s",
            "MiB",
        ],
        features_rows(options.counts, options.size),
    )


if __name__ == "__main__":
    main()
