"""Commands about finished runs: `log` gives them to a tracker."""

from pathlib import Path

from rarl import kinds
from rarl.commands.adding import Commands
from rarl.runtime.errors import UserError
from rarl.runtime.folders import atomic_folder


def add(commands: Commands) -> None:
    logging = commands.add(
        "log",
        "Gives finished runs to a tracker, offline.",
        log,
        "--to tensorboard results --output events",
    )
    logging.add_argument("--to", required=True, choices=list(kinds.TRACKERS))
    logging.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="a folder of results or of an experiment"
    )
    logging.add_argument("--output", type=Path, required=True, help="a new folder")


def log(runs: list[Path], *, to: str, output: Path) -> str:
    """Raises `UserError` without the tracker's package, and as `trackers.runs.find`."""
    from rarl.trackers import runs as training_runs  # noqa: PLC0415 - imports torch

    found, tables = training_runs.find(runs), training_runs.tables(runs)
    try:
        with atomic_folder(output) as folder:
            tracker = kinds.load(kinds.TRACKERS, to)
            tracker.write(found, tables, folder)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != to:
            raise
        raise UserError(
            f"--to {to}: the Python package {to} is missing; install it with: pip install {to}"
        ) from None
    counts = f"{len(found)} training logs and {len(tables)} tables"
    return f"{output}: {counts}; look at them with: {tracker.SHOW.format(folder=output)}"
