"""Stage `sample`: a prior to grids of codes."""

from collections.abc import Iterator
from pathlib import Path

from rarl.config.stages.evaluate import SampleSettings
from rarl.models.codes import Codes
from rarl.models.prior_file import load_prior
from rarl.runtime import device, precision, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.sampling import draw
from rarl.stages._write_samples import write_samples

Settings = SampleSettings


def run(settings: SampleSettings, *, prior: Path, output: Path, timing: Path) -> None:
    """Draw codes from a prior."""
    model = load_prior(prior, device=device.pick())

    def batches(first: int) -> Iterator[Codes]:
        return draw(
            model,
            settings.seed,
            settings.first + settings.count,
            settings.batch_size,
            temperature=settings.temperature,
            top_k=settings.top_k,
            first=first,
        )

    made = provenance.describe("sample", settings, prior=prior)
    with Checkpoints(output, made) as checkpoints, precision.autocast(settings.precision):
        write_samples(output, timing, settings, batches, model.codebook_size, made, checkpoints)
