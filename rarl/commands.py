"""The commands beside the stages: what a user asks of a configuration or of a trained model."""

import argparse
from collections.abc import Callable
from pathlib import Path

from rarl.config import Config, ConfigError, load, nearest

PER_BATCH = 64  # pictures


def add(parser: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds every command, each with its function as `handler`."""
    for name, summary, function in (
        ("check", "Validates a configuration file.", check),
        ("parameters", "Counts the parameters of its models.", parameters),
    ):
        _command(parser, name, summary, function).add_argument("config", type=Path)
    exporting = _command(parser, "export", "Writes a trained model as a portable folder.", export)
    _model(exporting)
    exporting.add_argument("output", type=Path, help="folder")
    sampling = _command(parser, "sample", "Draws pictures from a trained model.", sample)
    _model(sampling)
    sampling.add_argument("output", type=Path, help="folder of PNGs, with grid.png")
    sampling.add_argument("--count", type=int, default=36)
    sampling.add_argument("--seed", type=int, default=0)
    sampling.add_argument("--temperature", type=float, default=1.0)
    sampling.add_argument("--top-k", type=int, default=0, help="0: all codes")


def _command(
    parser: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    function: Callable[..., str],
) -> argparse.ArgumentParser:
    command = parser.add_parser(name, help=summary, description=summary)
    command.set_defaults(handler=function)
    return command


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path)
    command.add_argument("experiment")
    command.add_argument("method")


def check(config: Path) -> str:
    """A line about a valid configuration file. Raises `ConfigError`."""
    content = load(config)
    parts = ("datasets", "methods", "experiments", "tables", "figures")
    return f"{config}: valid; " + "; ".join(
        f"{part}: {', '.join(getattr(content, part))}" for part in parts
    )


def parameters(config: Path) -> str:
    """The parameter counts of a configuration's models, as a table. Raises `ConfigError`."""
    from rarl.models import sizes  # noqa: PLC0415 - imports torch

    return sizes.table(load(config))


def export(config: Path, experiment: str, method: str, output: Path) -> str:
    """Raises `ConfigError` for an unknown name, `UserError` for a model that is not there."""
    from rarl import generator  # noqa: PLC0415 - imports torch

    generator.export(*_files(load(config), experiment, method), output)
    return f"{output}: open it with rarl.load({str(output)!r})"


def sample(
    config: Path,
    experiment: str,
    method: str,
    output: Path,
    *,
    count: int,
    seed: int,
    temperature: float,
    top_k: int,
) -> str:
    """Raises as `export`, and `ConfigError` for a number that makes no sense."""
    from rarl import generator, pictures  # noqa: PLC0415 - imports torch

    for name, value, least in (("count", count, 1), ("seed", seed, 0), ("top-k", top_k, 0)):
        if value < least:
            raise ConfigError(f"--{name} {value}: must be at least {least}")
    if not temperature > 0:
        raise ConfigError(f"--temperature {temperature}: must be above 0")
    model = generator.from_files(*_files(load(config), experiment, method))
    batches = (
        model.draw(
            min(PER_BATCH, count - first), seed, temperature=temperature, top_k=top_k, first=first
        )
        for first in range(0, count, PER_BATCH)
    )
    pictures.save(batches, output)
    return f"{output}: {count} pictures of {model.image_size}x{model.image_size}, and grid.png"


def _files(config: Config, experiment: str, method: str) -> tuple[Path, Path]:
    """The VQ-VAE and the prior of a method that makes one."""
    for what, name, known in (
        ("experiment", experiment, list(config.experiments)),
        ("fine-tuning method", method, list(config.finetuned)),
    ):
        if name not in known:
            raise ConfigError(f"no {what} is named '{name}'{nearest(name, known)}")
    run = Path(config.results) / experiment
    return run / "vqvae.safetensors", run / method / "prior.safetensors"
