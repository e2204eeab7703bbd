"""A trained model as a folder that can be carried anywhere, and that a hub of models can show.

`README.md` is the model card, `config.json` the settings, `samples.png` samples. Both models are
safetensors files with their provenance in the headers. Nothing is unpickled.
"""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from rarl import image_grid, model_card
from rarl.config import Config, ConfigError, Count, CountOrZero, Positive, Settings
from rarl.generator import Generator, from_files
from rarl.layout import Layout
from rarl.runtime import device
from rarl.runtime.errors import UserError
from rarl.runtime.files import sha256, write_json, write_text
from rarl.runtime.folders import atomic_folder

CONFIG, CARD, SAMPLES = "config.json", "README.md", "samples.png"
VQVAE, PRIOR = "vqvae.safetensors", "prior.safetensors"
PRETRAINED = Path(__file__).parent / "pretrained"
DEFAULT = "ral"  # of the methods of a pretrained model


class ModelConfig(Settings):
    """`config.json`."""

    format: Literal[1]
    library_name: Literal["rarl"]
    rarl_version: str
    experiment: str
    method: str
    label: str  # of the method
    image_size: Count
    latents: tuple[Count, ...]  # sides of the levels of codes, coarse first
    codebook_size: Count
    temperature: Positive  # of sampling, as top_k
    top_k: CountOrZero  # 0: all codes
    license: str
    settings: dict[str, Any]  # of the data set and of all training
    sha256: dict[str, str]  # of the files


def export(config: Config, experiment: str, method: str, folder: Path, license_id: str) -> None:
    """Writes the model of a method of an experiment, whole or not at all.

    `license_id` is that of the weights, as the hub names licences. Raises `UserError` for a model
    that has not been trained, and where `folder` holds something.
    """
    of = config.experiments[experiment]
    vqvae, prior = files(config, experiment, method)
    model = from_files(
        vqvae,
        prior,
        torch.device("cpu"),
        temperature=of.sampling.temperature,
        top_k=of.sampling.top_k,
    )
    with atomic_folder(folder) as temporary:
        for source, name in ((vqvae, VQVAE), (prior, PRIOR)):
            shutil.copyfile(source, temporary / name)
        samples = model.sample(image_grid.SIDE**2, seed=0)
        image_grid.write(image_grid.block([], samples), temporary / SAMPLES)
        rl = config.finetuning(experiment, method)
        described = ModelConfig(
            format=1,
            library_name="rarl",
            rarl_version=version("rarl"),
            experiment=experiment,
            method=method,
            label=config.methods[method].label,
            image_size=of.image_size,
            latents=of.latents,
            codebook_size=of.vqvae.codebook_size,
            temperature=of.sampling.temperature,
            top_k=of.sampling.top_k,
            license=license_id,
            settings={
                "dataset": config.datasets[of.dataset].model_dump(
                    mode="json",
                    exclude={"path", "images"},  # names of files on this machine
                ),
                "vqvae": of.vqvae.model_dump(mode="json"),
                "prior": {level: of.prior.of(level).model_dump(mode="json") for level in of.grids},
                "rl": rl.model_dump(mode="json"),
            },
            sha256={name: sha256(temporary / name) for name in (VQVAE, PRIOR)},
        )
        write_json(temporary / CONFIG, described.model_dump(mode="json"))
        card = model_card.text(config, experiment, method, license_id)
        write_text(temporary / CARD, card)


def load(name: str | Path, on: torch.device | None = None) -> Generator:
    """Opens a model folder, or a pretrained model by its name; on the GPU when there is one.

    Raises `UserError` when a file is missing or something else. Unpickles nothing.
    """
    folder = Path(name)
    if not folder.exists() and (pretrained := find_pretrained(str(name))) is not None:
        folder = pretrained
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(
            f"{path}: no such file; a model folder is what rarl export writes, and the pretrained "
            f"models are {', '.join(pretrained_names()) or 'none'}"
        )
    try:
        config = ModelConfig.from_json(path.read_text(encoding="utf-8"))
    except (ConfigError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not of this version of rarl: {error}") from None
    return from_files(
        folder / VQVAE,
        folder / PRIOR,
        on or device.pick(),
        temperature=config.temperature,
        top_k=config.top_k,
    )


def find_pretrained(name: str) -> Path | None:
    """The folder of `NAME`, which is its `ral`, or of `NAME/METHOD`; None where there is none."""
    full = name if "/" in name else f"{name}/{DEFAULT}"
    return PRETRAINED / full if full in pretrained_names() else None


def pretrained_names() -> list[str]:
    """`NAME/METHOD` of each model in the package."""
    found = (path.parent.relative_to(PRETRAINED) for path in PRETRAINED.glob(f"*/*/{CONFIG}"))
    return sorted(path.as_posix() for path in found)


def files(config: Config, experiment: str, method: str) -> tuple[Path, Path]:
    """The VQ-VAE and the prior of a method that makes one."""
    oracle, layout = config.experiments[experiment].oracle, Layout(config.results)
    return (
        Path(layout.vqvae.format(experiment=oracle.of if oracle else experiment)),
        Path(layout.tuned.format(experiment=experiment, method=method)),
    )
