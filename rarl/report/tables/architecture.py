"""An experiment's models as the paper's supplementary tables list them."""

from typing import Self

import pandas as pd

from rarl.config import ArchitectureTable, Config, Count, Prior, Settings, Vqvae
from rarl.config.stages.train import PriorSettings
from rarl.layout import Layout
from rarl.report.kind import Inputs, TableKind
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


class PriorColumn(Settings):
    """A prior."""

    heading: str
    prior: Prior
    ours: tuple[str, ...]  # its settings that the paper does not give


class Kind(TableKind):
    """Rows are settings, columns the VQ-VAE and the priors; what the paper leaves out is marked."""

    title: str
    image_size: Count
    latents: tuple[Count, ...]
    vqvae: Vqvae
    priors: tuple[PriorColumn, ...]  # coarse to fine, the oracle first

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = config.tables[name]
        assert isinstance(of, ArchitectureTable)  # by `rarl.kinds`
        experiment = config.experiments[of.experiment]
        if experiment.oracle is not None:
            oracle = PriorSettings.of_oracle(config, of.experiment).prior
            priors = {"oracle": oracle, "generator": experiment.prior.of(experiment.grids[0])}
        elif len(experiment.grids) == 1:
            priors = {"prior": experiment.prior.of(experiment.grids[0])}
        else:
            priors = {f"{level} prior": experiment.prior.of(level) for level in experiment.grids}
        return cls(
            title=of.title,
            image_size=experiment.image_size,
            latents=experiment.latents,
            vqvae=experiment.vqvae,
            priors=tuple(
                PriorColumn(heading=heading, prior=prior, ours=of.ours.get(heading, ()))
                for heading, prior in priors.items()
            ),
        )

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        del config, files, name  # the configuration says it all
        return {}

    def table(self, inputs: Inputs) -> Table:
        del inputs
        columns = {"VQ-VAE": _vqvae(self)}
        for number, column in enumerate(self.priors):
            grid = min(number, len(self.latents) - 1)  # oracle and generator share the one
            side = self.latents[grid]
            columns[column.heading] = _prior(column.prior, side, conditional=grid > 0)
        ours = {(column.heading, PRIOR[name]) for column in self.priors for name in column.ours}
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
        return Table(self.title, "Setting", cells, long, notes)


def _vqvae(of: Kind) -> dict[str, str]:
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
