"""Commands about a trained model: `export` and `sample`."""

from pathlib import Path
from typing import TYPE_CHECKING

from rarl.commands.adding import Commands, add_configfile
from rarl.config import Config, ConfigError, load, nearest

if TYPE_CHECKING:
    from rarl.generator import Generator

PER_BATCH = 64  # images
OF = "EXPERIMENT METHOD"


def add(commands: Commands) -> None:
    sampling = commands.add(
        "sample",
        "Samples images from a trained model.",
        sample,
        "openmoji-64-8 single samples --count 36",
    )
    sampling.usage = f"rarl sample [options] ({OF} | --pretrained NAME) OUTPUT"
    sampling.add_argument(
        "names", nargs="+", metavar="NAME", help=f"{OF} of a run, then a folder for PNGs"
    )
    sampling.add_argument("--pretrained", metavar="NAME", help="in the package, or a folder")
    sampling.add_argument("--count", type=int, default=36)
    sampling.add_argument("--seed", type=int, default=0)
    sampling.add_argument("--temperature", type=float, help="default: the experiment's")
    sampling.add_argument("--top-k", type=int, help="0: all codes; default: the experiment's")
    add_configfile(sampling)
    exporting = commands.add(
        "export",
        "Writes a trained model as a folder that a hub shows.",
        export,
        "openmoji-64-8 single my-model",
    )
    exporting.add_argument("experiment")
    exporting.add_argument("method")
    exporting.add_argument("output", type=Path, help="folder, which must not be there yet")
    exporting.add_argument(
        "--license",
        dest="license_id",
        metavar="ID",
        help="of the weights, as the hub names it; default: what the images' licence asks for",
    )
    add_configfile(exporting)


def export(
    experiment: str, method: str, output: Path, *, license_id: str | None, configfile: list[Path]
) -> str:
    """Raises `ConfigError` for an unknown name, `UserError` for a model that is not there."""
    from rarl import model_card, model_folder  # noqa: PLC0415 - imports torch

    content = load(*configfile)
    _require(content, experiment, method)
    kind = content.datasets[content.experiments[experiment].dataset].kind
    license_id = license_id or model_card.LICENSES.get(kind)
    if license_id is None:
        raise ConfigError(
            f"the licence of weights made from images of kind {kind} is not known; say it with "
            "--license, e.g. --license cc-by-4.0, or --license other"
        )
    model_folder.export(content, experiment, method, output, license_id)
    return f"{output}: open it with rarl.load({str(output)!r})"


def sample(
    names: list[str],
    *,
    pretrained: str | None,
    configfile: list[Path],
    count: int,
    seed: int,
    temperature: float | None,
    top_k: int | None,
) -> str:
    """Raises as `export`, and `ConfigError` for a number that makes no sense."""
    from rarl import image_grid  # noqa: PLC0415 - imports torch

    wanted = "OUTPUT" if pretrained else f"{OF} OUTPUT"
    if len(names) != len(wanted.split()):
        raise ConfigError(f"{' '.join(names)}: expected {wanted}")
    for name, value, least in (("count", count, 1), ("seed", seed, 0), ("top-k", top_k, 0)):
        if value is not None and value < least:
            raise ConfigError(f"--{name} {value}: must be at least {least}")
    if temperature is not None and not temperature > 0:
        raise ConfigError(f"--temperature {temperature}: must be above 0")
    *of, output = names
    model = _pretrained(pretrained) if pretrained else _of_run(configfile, *of)
    batches = (
        model.sample(
            min(PER_BATCH, count - first), seed, temperature=temperature, top_k=top_k, first=first
        )
        for first in range(0, count, PER_BATCH)
    )
    image_grid.save(batches, Path(output))
    return f"{output}: {count} images of {model.image_size}x{model.image_size}, and grid.png"


def _pretrained(name: str) -> "Generator":
    from rarl import model_folder  # noqa: PLC0415 - imports torch

    return model_folder.load(name)


def _of_run(configfile: list[Path], experiment: str, method: str) -> "Generator":
    from rarl import generator, model_folder  # noqa: PLC0415 - imports torch
    from rarl.runtime import device  # noqa: PLC0415

    content = load(*configfile)
    _require(content, experiment, method)
    by = content.experiments[experiment].sampling
    return generator.from_files(
        *model_folder.files(content, experiment, method),
        device.pick(),
        temperature=by.temperature,
        top_k=by.top_k,
    )


def _require(config: Config, experiment: str, method: str) -> None:
    """Raises `ConfigError` for an experiment or a fine-tuning method that is not there."""
    for what, name, known in (
        ("experiment", experiment, list(config.experiments)),
        ("fine-tuning method", method, list(config.finetuned)),
    ):
        if name not in known:
            raise ConfigError(f"no {what} is named '{name}'{nearest(name, known)}")
