"""Stage `reject`: draws from a prior, of which a critic keeps the best."""

from pathlib import Path

from rarl.models.saved import load_critic, load_prior, load_vqvae
from rarl.rejection import draw_best
from rarl.runtime import device, provenance
from rarl.runtime.progress import track
from rarl.stage_settings import RejectSettings
from rarl.stages._drawing import save_draws

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
    on, of = device.pick(), settings.draw
    model = load_prior(prior, device=on)
    batches = draw_best(model, load_vqvae(vqvae, on), load_critic(critic, on), settings)
    shown = track(batches, -(-of.count // of.batch_size), "reject", "batch")
    made = provenance.describe("reject", settings, vqvae=vqvae, prior=prior, critic=critic)
    save_draws(output, timing, shown, model.codebook_size, of.seed, made)
