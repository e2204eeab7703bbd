"""Stage `reject`: draws from a prior, of which a critic keeps the best."""

from collections.abc import Iterator
from pathlib import Path

from rarl.config.stages.evaluate import RejectSettings
from rarl.models.codes import Codes
from rarl.models.prior_file import load_prior
from rarl.models.vqvae_file import load_vqvae
from rarl.rl.critics.file import load_critic
from rarl.rl.rejection import draw_best
from rarl.runtime import device, precision, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.stages._write_samples import write_samples

Settings = RejectSettings


def run(
    settings: RejectSettings,
    *,
    vqvae: Path,
    prior: Path,
    critic: Path,
    output: Path,
    timing: Path,
) -> None:
    """Draw several times as many codes as asked for and keep those that the critic prefers."""
    on = device.pick()
    model = load_prior(prior, device=on)
    decoder, ranking = load_vqvae(vqvae, on), load_critic(critic, on)

    def batches(first: int) -> Iterator[Codes]:
        return draw_best(model, decoder, ranking, settings, first)

    made = provenance.describe("reject", settings, vqvae=vqvae, prior=prior, critic=critic)
    with Checkpoints(output, made) as checkpoints, precision.autocast(settings.sample.precision):
        write_samples(
            output, timing, settings.sample, batches, model.codebook_size, made, checkpoints
        )
