"""An experiment's models as the paper's supplementary tables list them. Imports no torch."""

from rarl.config import Prior
from rarl.report.sheet import Cell, Sheet
from rarl.stage_settings import ArchitectureSettings

NONE = "-"


def sheet(settings: ArchitectureSettings) -> Sheet:
    """Rows are settings, columns the VQ-VAE and the priors."""
    columns = {"VQ-VAE": _vqvae(settings)}
    for number, column in enumerate(settings.priors):
        grid = min(number, len(settings.latents) - 1)  # oracle and generator share the one
        side = settings.latents[grid]
        columns[column.heading] = _prior(column.prior, side, conditional=grid > 0)
    names = dict.fromkeys(name for values in columns.values() for name in values)
    rows = []
    for name in names:
        texts = [values.get(name, NONE) for values in columns.values()]
        rows.append((name, [Cell(text, text) for text in texts]))
    return Sheet(settings.title, "Setting", list(columns), rows)


def _vqvae(of: ArchitectureSettings) -> dict[str, str]:
    vqvae = of.vqvae
    return {
        "input size": str(of.image_size),
        "latent size": " + ".join(map(str, of.latents)),
        "beta": f"{vqvae.beta:g}",
        "batch size": str(vqvae.batch_size),
        "hidden units": str(vqvae.hidden_units),
        "residual units": str(vqvae.residual_units),
        "layers": str(vqvae.layers),
        "codebook size": str(vqvae.codebook_size),
        "codebook dimension": str(vqvae.codebook_dim),
        "encoder filter size": str(vqvae.encoder_filter),
        "decoder filter size": str(vqvae.decoder_filter),
        "training steps": str(vqvae.steps),
    }


def _prior(of: Prior, side: int, *, conditional: bool) -> dict[str, str]:
    return {
        "input size": str(side),
        "batch size": str(of.batch_size),
        "hidden units": str(of.hidden_units),
        "residual units": str(of.residual_units),
        "layers": str(of.layers),
        "attention layers": str(of.attention_layers),
        "filter size": str(of.filter_size),
        "dropout": f"{of.dropout:g}",
        "output stack layers": str(of.output_stack_layers or NONE),
        "conditioning stack layers": str(of.conditioning_stack_layers) if conditional else NONE,
        "training steps": str(of.steps),
    }
