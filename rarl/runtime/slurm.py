"""Where the processes of one stage meet, when `srun` started it as several tasks.

Each task is an agent of torchrun. The variables are those that srun sets for every task of a step
(its manual, "output environment variables"). A job of several nodes whose script starts a stage
without srun is one process on its first node: it has no step, and nobody to meet. Imports no torch.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rarl.runtime.errors import UserError

TASKS = "SLURM_STEP_NUM_TASKS"
FIRST_PORT, PORTS = 10_000, 20_000  # below the ports that Linux gives to outgoing connections
STEP_STRIDE = 101  # so that two steps of a job, and the next jobs, do not share a port


@dataclass(frozen=True)
class Rendezvous:
    """The meeting point of the agents, and this one's place among them."""

    agents: int
    rank: int  # of this agent, from 0
    host: str  # of agent 0
    port: int
    step: str  # JOB.STEP, the name of the meeting

    @property
    def options(self) -> list[str]:
        """As torchrun wants them."""
        return [
            f"--nnodes={self.agents}",
            f"--node-rank={self.rank}",
            f"--master-addr={self.host}",
            f"--master-port={self.port}",
            f"--rdzv-id={self.step}",
        ]


def rendezvous(environment: Mapping[str, str] = os.environ) -> Rendezvous | None:
    """None where srun started one task, or none.

    Raises `UserError` when a variable is missing or is no number.
    """
    if environment.get(TASKS, "1") == "1":
        return None
    agents, rank, job, step = (
        _number(environment, name)
        for name in (TASKS, "SLURM_PROCID", "SLURM_JOB_ID", "SLURM_STEP_ID")
    )
    port = FIRST_PORT + (job + STEP_STRIDE * step) % PORTS
    host = first_host(_variable(environment, "SLURM_STEP_NODELIST"))
    return Rendezvous(agents, rank, host, port, f"{job}.{step}")


def first_host(nodes: str) -> str:
    """The first of a list of hosts as SLURM writes it: `gpu[03-05,9],cpu1` begins with `gpu03`."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    if first is None:
        raise UserError(f"SLURM_STEP_NODELIST={nodes!r} names no host")
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", first[0])


def _number(environment: Mapping[str, str], name: str) -> int:
    text = _variable(environment, name)
    if not text.isdigit():
        raise UserError(f"{name}={text!r} is no number; start the stage with srun")
    return int(text)


def _variable(environment: Mapping[str, str], name: str) -> str:
    if name not in environment:
        raise UserError(f"{TASKS} is set, but not {name}; start the stage with srun")
    return environment[name]
