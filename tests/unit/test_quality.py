"""Stage `quality`: samples that copy training images are told, and real images cost nothing."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from rarl.config.stages.evaluate import QualitySettings
from rarl.metrics import feature_files
from rarl.results.quality import Quality
from rarl.results.timing import Timing
from rarl.stages import quality

SETTINGS = QualitySettings(
    neighbours=3, near_quantile=0.1, near_confidence=0.95, kid_subsets=2, kid_subset_size=20
)


def normal(count: int, seed: int) -> Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def measure(tmp_path: Path):
    """Runs the stage on samples of two seeds, beside 300 training and 200 held-out rows."""
    feature_files.save(tmp_path / "real", normal(300, 0), {})
    held_out = {"seed": None, "first": 0}
    feature_files.save(tmp_path / "held-out", normal(200, 1), held_out)
    timing = Timing(images=10, seconds=5.0, device="CPU", provenance={})
    timing.write(tmp_path / "timing")

    def run(*samples: Tensor) -> Quality:
        paths = [tmp_path / f"samples-{seed}" for seed in range(len(samples))]
        for seed, (path, rows) in enumerate(zip(paths, samples, strict=True)):
            feature_files.save(path, rows, {"seed": seed, "first": 0})
        quality.run(
            SETTINGS,
            real=tmp_path / "real",
            samples=paths or [tmp_path / "held-out"],
            held_out=tmp_path / "held-out" if paths else None,
            timings=[tmp_path / "timing"] if paths else None,
            output=tmp_path / "quality.json",
        )
        return Quality.read(tmp_path / "quality.json")

    return run


def test_copies_are_nearer_to_training_images_than_held_out_images_are(measure):
    honest = measure(normal(200, 2), normal(200, 3)).memorisation
    assert honest.expected == pytest.approx(0.1, abs=0.01)
    assert all(honest.low <= share <= honest.high for share in honest.shares)
    copied = torch.cat([normal(300, 0)[:100], normal(100, 2)])
    found = measure(copied, normal(200, 3)).memorisation
    assert found.shares[0] > 0.5 > found.high
    assert (found.low, found.high) == (honest.low, honest.high)
    assert (found.training, found.held_out) == (300, 200)


def test_real_images_have_quality_and_cost_nothing(measure):
    found = measure()
    assert len(found.precision) == len(found.recall) == len(found.kid) == 1
    assert (found.memorisation, found.seconds_per_image, found.device) == (None, None, None)
    assert measure(normal(50, 2)).seconds_per_image == 0.5
