"""An experiment's models as the paper's supplementary tables list them. Imports no torch."""

import pandas as pd

from rarl.config import Prior
from rarl.config.stages.report import ArchitectureSettings
from rarl.report.table import Cell, Cells, Table

NONE = "-"
VQVAE = {  # setting: what the paper calls it
    "beta": "beta",
    "batch_size": "batch size",
    "hidden_units": "hidden units",
    "residual_units": "residual units",
    "layers": "layers",
    "codebook_size": "codebook size",
    "codebook_dim": "codebook dimension",
    "encoder_filter": "encoder filter size",
    "decoder_filter": "decoder filter size",
    "steps": "training steps",
}
PRIOR = {
    "batch_size": "batch size",
    "hidden_units": "hidden units",
    "residual_units": "residual units",
    "layers": "layers",
    "attention_layers": "attention layers",
    "filter_size": "filter size",
    "dropout": "dropout",
    "output_stack_layers": "output stack layers",
    "conditioning_stack_layers": "conditioning stack layers",
    "steps": "training steps",
}


def table(settings: ArchitectureSettings) -> Table:
    """Rows are settings, columns the VQ-VAE and the priors; what the paper leaves out is marked."""
    columns = {"VQ-VAE": _vqvae(settings)}
    for number, column in enumerate(settings.priors):
        grid = min(number, len(settings.latents) - 1)  # oracle and generator share the one
        side = settings.latents[grid]
        columns[column.heading] = _prior(column.prior, side, conditional=grid > 0)
    ours = {(column.heading, PRIOR[name]) for column in settings.priors for name in column.ours}
    long = pd.DataFrame(
        [
            (model, setting, value, (model, setting) in ours)
            for model, values in columns.items()
            for setting, value in values.items()
        ],
        columns=["model", "setting", "value", "ours"],
    )
    names = list(dict.fromkeys(long["setting"]))
    text = long["value"] + long["ours"].map({True: " (ours)", False: ""})
    parts = (
        long.assign(text=text).pivot(index="setting", columns="model", values=part)
        for part in Cell._fields
    )
    cells = Cells(
        *(part.reindex(index=names, columns=list(columns)).fillna(NONE) for part in parts)
    )
    notes = ["(ours): the paper does not give it."] if ours else []
    return Table(settings.title, "Setting", cells, long, notes)


def _vqvae(of: ArchitectureSettings) -> dict[str, str]:
    sizes = {"input size": str(of.image_size), "latent size": " + ".join(map(str, of.latents))}
    values = of.vqvae.model_dump()
    if of.vqvae.upsampling == "nearest":
        values["decoder_filter"] = 3
    return sizes | {label: f"{values[name]:.10g}" for name, label in VQVAE.items()}


def _prior(of: Prior, side: int, *, conditional: bool) -> dict[str, str]:
    values = of.model_dump()
    shown = {label: f"{values[name]:.10g}" for name, label in PRIOR.items()}
    if not of.output_stack_layers:
        shown["output stack layers"] = NONE
    if not conditional:
        shown["conditioning stack layers"] = NONE
    return {"input size": str(side), **shown}
