"""The command `accept`: what is stale, and that it may stand."""

from pathlib import Path

from rarl.commands.adding import Commands, add_configfile
from rarl.config import load
from rarl.layout import Layout


def add(commands: Commands) -> None:
    accepting = commands.add(
        "accept",
        "Lets results stand that a change of code or settings made stale.",
        accept,
        "results/tables/table2.csv",
    )
    accepting.add_argument("targets", nargs="*", help="files; default: all of the configuration's")
    add_configfile(accepting)
    accepting.add_argument("--snakefile", type=Path, default=Path("Snakefile"))
    accepting.add_argument("--yes", action="store_true", help="do not ask")


def accept(targets: list[str], *, configfile: list[Path], snakefile: Path, yes: bool) -> str:
    """Shows what is stale and why; after a yes, Snakemake takes it as up to date.

    Raises `ConfigError`, and `UserError` for a target or a workflow that cannot be planned.
    """
    from rarl import acceptance  # noqa: PLC0415 - imports Snakemake

    log = Path(Layout(load(*configfile).results).accepted)
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
        acceptance.accept(workflow, jobs, log)
        return f"{shown}\naccepted {len(jobs)} jobs, noted in {log}"
