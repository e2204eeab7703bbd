"""The commands beside the stages: what a user asks of a configuration or of a trained model."""

import argparse
from collections.abc import Callable
from pathlib import Path

from rarl.config import Config, ConfigError, load, nearest
from rarl.layout import Layout

PER_BATCH = 64  # pictures


def add(parser: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[str]:
    """Adds every command, each with its function as `handler`; gives an example of each."""
    examples = []

    def command(
        name: str, summary: str, function: Callable[..., str], example: str
    ) -> argparse.ArgumentParser:
        examples.append(f"rarl {name} {example}")
        epilog = f"example: rarl {name} {example}"
        added = parser.add_parser(name, help=summary, description=summary, epilog=epilog)
        added.set_defaults(handler=function)
        return added

    for name, summary, function in (
        ("check", "Validates a configuration file.", check),
        ("parameters", "Counts the parameters of its models.", parameters),
    ):
        checking = command(name, summary, function, "config.yaml")
        checking.add_argument("configfile", type=Path, nargs="+", help="later ones overlay")
    sampling = command(
        "sample",
        "Samples images from a trained model.",
        sample,
        "openmoji-64-8 single samples --count 36",
    )
    _model(sampling)
    sampling.add_argument("output", type=Path, help="folder of PNGs, with grid.png")
    sampling.add_argument("--count", type=int, default=36)
    sampling.add_argument("--seed", type=int, default=0)
    sampling.add_argument("--temperature", type=float, help="default: the experiment's")
    sampling.add_argument("--top-k", type=int, help="0: all codes; default: the experiment's")
    exporting = command(
        "export",
        "Writes a trained model as a portable folder.",
        export,
        "openmoji-64-8 single my-model",
    )
    _model(exporting)
    exporting.add_argument("output", type=Path, help="folder")
    accepting = command(
        "accept",
        "Lets results stand that a change of code or settings made stale.",
        accept,
        "results/tables/table2.csv",
    )
    accepting.add_argument("targets", nargs="*", help="files; default: all of the configuration's")
    accepting.add_argument(
        "--configfile", type=Path, nargs="+", default=[Path("config.yaml")], help="as Snakemake's"
    )
    accepting.add_argument("--snakefile", type=Path, default=Path("Snakefile"))
    accepting.add_argument("--yes", action="store_true", help="do not ask")
    return examples


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument("experiment")
    command.add_argument("method")
    command.add_argument(
        "--configfile", type=Path, nargs="+", default=[Path("config.yaml")], help="as Snakemake's"
    )


def check(configfile: list[Path]) -> str:
    """A line about a valid configuration. Raises `ConfigError`."""
    content = load(*configfile)
    parts = ("datasets", "methods", "experiments", "tables", "figures")
    return f"{' '.join(map(str, configfile))}: valid; " + "; ".join(
        f"{part}: {', '.join(getattr(content, part))}" for part in parts
    )


def parameters(configfile: list[Path]) -> str:
    """The parameter counts of a configuration's models, as a table. Raises `ConfigError`."""
    from rarl.models import sizes  # noqa: PLC0415 - imports torch

    return sizes.table(load(*configfile))


def accept(targets: list[str], *, configfile: list[Path], snakefile: Path, yes: bool) -> str:
    """Shows what is stale and why; after a yes, Snakemake takes it as up to date.

    Raises `ConfigError`, and `UserError` for a target or a workflow that cannot be planned.
    """
    from rarl import acceptance  # noqa: PLC0415 - imports Snakemake

    results = Path(load(*configfile).results)
    with acceptance.planned(snakefile, configfile, targets) as workflow:
        jobs = workflow.stale()
        if not jobs:
            return "nothing is stale by code or settings alone"
        shown = "\n".join(
            f"{' '.join(map(str, of.outputs))}: {'; '.join(of.changed)}" for of in jobs
        )
        question = f"{shown}\naccept these {len(jobs)} jobs as they are? [y/N] "
        if not yes and input(question).strip().lower() not in ("y", "yes"):
            return "nothing accepted"
        log = acceptance.accept(workflow, jobs, results)
        return f"{shown}\naccepted {len(jobs)} jobs, noted in {log}"


def export(experiment: str, method: str, output: Path, *, configfile: list[Path]) -> str:
    """Raises `ConfigError` for an unknown name, `UserError` for a model that is not there."""
    from rarl import generator  # noqa: PLC0415 - imports torch

    generator.export(*_files(load(*configfile), experiment, method), output)
    return f"{output}: open it with rarl.load({str(output)!r})"


def sample(
    experiment: str,
    method: str,
    output: Path,
    *,
    configfile: list[Path],
    count: int,
    seed: int,
    temperature: float | None,
    top_k: int | None,
) -> str:
    """Raises as `export`, and `ConfigError` for a number that makes no sense."""
    from rarl import generator, image_grid  # noqa: PLC0415 - imports torch

    content = load(*configfile)
    files = _files(content, experiment, method)
    of = content.experiments[experiment].sampling
    temperature = of.temperature if temperature is None else temperature
    top_k = of.top_k if top_k is None else top_k
    for name, value, least in (("count", count, 1), ("seed", seed, 0), ("top-k", top_k, 0)):
        if value < least:
            raise ConfigError(f"--{name} {value}: must be at least {least}")
    if not temperature > 0:
        raise ConfigError(f"--temperature {temperature}: must be above 0")
    model = generator.from_files(*files)
    batches = (
        model.draw(
            min(PER_BATCH, count - first), seed, temperature=temperature, top_k=top_k, first=first
        )
        for first in range(0, count, PER_BATCH)
    )
    image_grid.save(batches, output)
    return f"{output}: {count} pictures of {model.image_size}x{model.image_size}, and grid.png"


def _files(config: Config, experiment: str, method: str) -> tuple[Path, Path]:
    """The VQ-VAE and the prior of a method that makes one."""
    for what, name, known in (
        ("experiment", experiment, list(config.experiments)),
        ("fine-tuning method", method, list(config.finetuned)),
    ):
        if name not in known:
            raise ConfigError(f"no {what} is named '{name}'{nearest(name, known)}")
    oracle, files = config.experiments[experiment].oracle, Layout(config.results)
    return (
        Path(files.vqvae.format(experiment=oracle.of if oracle else experiment)),
        Path(files.tuned.format(experiment=experiment, method=method)),
    )
