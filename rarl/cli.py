"""The command line: `rarl stage NAME` runs a stage; `rarl.commands` has what people call.

One subcommand per module of `rarl/stages`; a leading `_` marks what stages share. The keyword-only
parameters of a stage's `run` name its files, `Path` for one, `list[Path]` for several and either
with `| None` for what may be left out, and become the options. They are read from the source,
so that torch is imported only once a stage starts, after the number of threads is set.
"""

import argparse
import ast
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rarl import commands
from rarl.config import ConfigError
from rarl.runtime import fingerprint, memory
from rarl.runtime.errors import UserError
from rarl.runtime.ranks import is_first, world_size
from rarl.runtime.signals import StoppedError

OPTIONAL = ("?", "*")  # as `nargs` of argparse
STAGES = Path(__file__).parent / "stages"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, or 1 after one line on stderr about what the user can mend.

    Stopped by a signal, it returns 128 and the signal's number.
    """
    options = vars(_parser().parse_args(arguments))
    command, handler = options.pop("command"), options.pop("handler", None)
    try:
        if handler is not None:
            print(handler(**options))  # noqa: T201 - the answer
        else:
            command = f"{command} {options['stage']}"
            run(**options)
    except (UserError, ConfigError, OSError) as error:  # the last: a full disk, no permission
        if is_first() or isinstance(error, OSError):  # others meet the same
            print(f"rarl {command}: error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except StoppedError as stopped:
        if is_first():
            print(f"rarl {command}: {stopped}", file=sys.stderr)  # noqa: T201
        return stopped.status
    return 0


def run(
    stage: str,
    settings: str,
    code: str | None,
    threads: int | None,
    gpus: int,
    checkpoint_seconds: float,
    checkpoint_steps: int,
    shutdown_seconds: int | None,
    **files: Path | list[Path] | None,
) -> None:
    """Runs a stage with its settings (JSON) on its files. Raises `UserError`, `ConfigError`.

    `code` is the fingerprint under which the caller plans; a result of other code is refused.
    With several `gpus`, torchrun takes this process's place and starts as many; after a signal
    they have `shutdown_seconds` to save.
    """
    if gpus > 1 and world_size() == 1:
        torchrun = importlib.import_module("rarl.runtime.torchrun")
        command, missing = torchrun.command(gpus, shutdown_seconds)
        for line in missing:
            print(f"rarl stage {stage}: warning: {line}", file=sys.stderr, flush=True)  # noqa: T201
        os.execv(command[0], [*command, "rarl.cli", *sys.argv[1:]])
    if threads is not None:
        threads = max(1, threads // gpus)
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[variable] = str(threads)
    memory.keep_freed()
    module = importlib.import_module(f"rarl.stages.{stage}")
    given = module.Settings.from_json(settings)
    if code is not None and code != (found := fingerprint.compute(stage, given.kinds)):
        raise UserError(f"the code is now {found}, but {code} was planned; start Snakemake again")
    if world_size() > 1:
        importlib.import_module("rarl.runtime.parallel").join()
    if threads is not None and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    checkpoints = importlib.import_module("rarl.runtime.checkpoints")
    checkpoints.set_interval(checkpoint_seconds, checkpoint_steps)
    module.run(given, **files)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rarl",
        description="Trains image models and fine-tunes them by reinforced adversarial learning. "
        "The workflow runs the stages; the other commands are for people, in the order of use.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    examples = commands.add(subparsers)
    parser.epilog = "examples:\n" + "\n".join(f"  {example}" for example in examples)
    summary = "Runs one stage of the workflow, as its rule does."
    stage = subparsers.add_parser("stage", help=summary, description=summary)
    stages = stage.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for source in sorted(STAGES.glob("[!_]*.py")):
        _add_stage(stages, source)
    return parser


def _add_stage(stages: "argparse._SubParsersAction[argparse.ArgumentParser]", source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(tree) or "").partition("\n")[0].replace("%", "%%")
    stage = stages.add_parser(source.stem, help=summary, description=summary)
    stage.add_argument("--settings", required=True, metavar="JSON", help="as the workflow passes")
    stage.add_argument("--code", metavar="HASH", help="refuse to run any other code")
    stage.add_argument("--threads", type=_count, metavar="N", help="default: torch's choice")
    stage.add_argument(
        "--gpus", type=_count, default=1, metavar="N", help="processes that share every batch"
    )
    every = "save a checkpoint every N"
    stage.add_argument(
        "--checkpoint-seconds", type=float, default=0.0, metavar="N", help=f"{every} seconds"
    )
    stage.add_argument(
        "--checkpoint-steps", type=int, default=0, metavar="N", help=f"{every} steps"
    )
    stage.add_argument(
        "--shutdown-seconds",
        type=_count,
        metavar="N",
        help="that several processes have to save after a signal; default: torchrun's",
    )
    for name, number in _files(tree, source.stem).items():
        option = "--" + name.replace("_", "-")
        stage.add_argument(
            option, type=Path, required=number not in OPTIONAL, metavar="PATH", nargs=number
        )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _files(tree: ast.Module, stage: str) -> dict[str, str | None]:
    """The file parameters of a stage's `run`, in order: name, and how many files as `nargs`."""
    [function] = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "run"]
    numbers = {
        "Path": None,
        "Path | None": "?",
        "list[Path]": "+",
        "list[Path] | None": "*",
    }
    found = {}
    for argument in function.args.kwonlyargs:
        annotation = ast.unparse(argument.annotation) if argument.annotation else "nothing"
        if annotation not in numbers:
            raise TypeError(f"stage {stage}: {argument.arg} is annotated {annotation}, not a path")
        found[argument.arg] = numbers[annotation]
    return found


if __name__ == "__main__":
    sys.exit(main())
