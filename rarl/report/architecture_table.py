"""An experiment's models as the paper's supplementary tables list them. Imports no torch."""

from rarl.config import Experiment, Prior
from rarl.plan import ArchitectureSettings
from rarl.report.sheet import Cell, Sheet

NONE = "-"


def sheet(settings: ArchitectureSettings) -> Sheet:
    """Rows are settings, columns the VQ-VAE and the priors, coarse to fine; the oracle first."""
    of = settings.experiment
    vqvae = _vqvae(of)
    priors = {
        f"{grid} prior" if len(of.grids) > 1 else "prior": _prior(of.prior.of(grid), i, side)
        for i, (grid, side) in enumerate(zip(of.grids, of.latents, strict=True))
    }
    if of.oracle is not None:
        oracle = of.prior.overlaid(of.oracle.prior, "oracle.prior")
        [generator] = priors.values()
        priors = {"oracle": _prior(oracle, 0, of.latents[0]), "generator": generator}
    columns = {"VQ-VAE": vqvae, **priors}
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = [
        (
            name,
            [Cell(text, text) for text in (column.get(name, NONE) for column in columns.values())],
        )
        for name in names
    ]
    return Sheet(settings.title, "Setting", list(columns), rows)


def _vqvae(of: Experiment) -> dict[str, str]:
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


def _prior(of: Prior, grid: int, side: int) -> dict[str, str]:
    conditional = grid > 0
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
