"""The command by which torchrun starts the processes of a stage, and stops them without loss."""

import sys
from collections.abc import Container

from torch.distributed.run import get_args_parser

from rarl.runtime import slurm
from rarl.runtime.errors import UserError
from rarl.runtime.signals import ASKING

SIGNALS = ",".join([*(number.name for number in ASKING), "SIGHUP", "SIGQUIT"])


def command(processes: int, shutdown_seconds: int | None) -> tuple[list[str], list[str]]:
    """What to run before the name of a module, and a line for each option that torchrun lacks.

    `processes` are those of the stage. They run on this machine, or where srun started the stage as
    several tasks, equally many below each task. `shutdown_seconds` is the time that the processes
    have to save after a signal; None leaves it to torchrun.

    Raises `UserError` when the tasks cannot have equally many processes.
    """
    known = vars(get_args_parser().parse_args(["script"]))
    found, missing = options(known, shutdown_seconds)
    meeting = slurm.rendezvous()
    agents = meeting.agents if meeting else 1
    if processes % agents:
        raise UserError(
            f"--gpus {processes}: srun started {agents} tasks, which cannot have equally many; "
            f"set gpus to a multiple of {agents}, or start another number of tasks"
        )
    start = [sys.executable, "-m", "torch.distributed.run"]
    meet = meeting.options if meeting else ["--standalone"]
    return [*start, *meet, f"--nproc-per-node={processes // agents}", *found, "-m"], missing


def options(known: Container[str], shutdown_seconds: int | None) -> tuple[list[str], list[str]]:
    """The options about signals among those that torchrun knows; a line for each of the others."""
    found, missing = [], []
    if "signals_to_handle" in known:
        found.append(f"--signals-to-handle={SIGNALS}")
    else:
        missing.append(
            "this torch's torchrun has no --signals-to-handle: SIGUSR1 ends it at once and leaves "
            "its processes running; send SIGTERM, or install a newer torch"
        )
    if shutdown_seconds is not None and "shutdown_timeout" in known:
        found.append(f"--shutdown-timeout={shutdown_seconds}")
    elif shutdown_seconds is not None:
        missing.append(
            "this torch's torchrun has no --shutdown-timeout: it kills its processes 30 s after "
            f"a signal, not {shutdown_seconds} s; install a newer torch"
        )
    return found, missing
