"""Commands about finished runs: `log` gives them to a tracker, `gallery` shows their samples."""

from pathlib import Path

from rarl import kinds
from rarl.commands.adding import Commands, add_configfile
from rarl.config import ConfigError, load
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_text
from rarl.runtime.folders import atomic_folder


def add(commands: Commands) -> None:
    showing = commands.add(
        "gallery",
        "Shows samples with their nearest training images, curves and tables on one HTML page.",
        gallery,
        "openmoji-64-8",
    )
    showing.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", help="default: all that have samples"
    )
    showing.add_argument("--output", type=Path, help="default: gallery.html beside the results")
    showing.add_argument("--count", type=int, default=12, help="samples of each method")
    showing.add_argument("--neighbours", type=int, default=3, help="training images a sample")
    showing.add_argument(
        "--training-images",
        type=int,
        default=5000,
        help="among how many the nearest are looked for, evenly spaced",
    )
    add_configfile(showing)
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


def gallery(
    experiments: list[str],
    *,
    output: Path | None,
    count: int,
    neighbours: int,
    training_images: int,
    configfile: list[Path],
) -> str:
    """Raises `ConfigError` for an unknown name or number, `UserError` where nothing is sampled."""
    from rarl.gallery import collect, page  # noqa: PLC0415 - imports torch

    given = {"count": count, "neighbours": neighbours, "training-images": training_images}
    for name, value in given.items():
        if value < 1:
            raise ConfigError(f"--{name} {value}: must be at least 1")
    content = load(*configfile)
    output = output or Path(content.results) / "gallery.html"
    options = collect.Options(count, neighbours, training_images)
    shown = collect.collect(content, experiments, options)
    write_text(output, page.html(shown))
    names = ", ".join(of.name for of in shown.experiments)
    return f"{output}: samples of {names}; open it in a browser, it needs no network"
