"""Where torchrun's agents meet under SLURM: made-up environments, then two agents that do meet."""

import os
import subprocess
import sys

import pytest

from helpers.paths import ROOT
from rarl.runtime import slurm, torchrun
from rarl.runtime.errors import UserError

STEP = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "2",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_NODELIST": "gpu[03-04]",
    "SLURM_PROCID": "1",
}
MEMBER = """
import torch.distributed as dist
from rarl.runtime import parallel, ranks
parallel.join()
found = [None] * ranks.world_size()
dist.all_gather_object(found, ranks.rank())
if ranks.is_first():
    print("met", found, flush=True)
dist.destroy_process_group()
"""


def test_a_task_of_a_step_knows_where_and_who_it_is():
    found = slurm.rendezvous(STEP)
    assert found == slurm.Rendezvous(2, 1, "gpu03", 10_000 + 4711 + 202, "4711.2")
    assert found.options == [
        "--nnodes=2",
        "--node-rank=1",
        "--master-addr=gpu03",
        "--master-port=14913",
        "--rdzv-id=4711.2",
    ]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SLURM_JOB_ID": "1", "SLURM_NNODES": "2", "SLURM_NODEID": "0"},  # a script without srun
        STEP | {"SLURM_STEP_NUM_TASKS": "1"},  # as Snakemake's plugin starts a job
    ],
)
def test_one_process_meets_nobody(environment: dict[str, str]):
    assert slurm.rendezvous(environment) is None


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu1", "gpu1"),
        ("gpu1,cpu2", "gpu1"),
        ("gpu[03-05,9],cpu1", "gpu03"),
        ("gpu[7,9]", "gpu7"),
        ("rack[1-2]-node[04-09].site", "rack1-node04.site"),
        ("10.0.0.[1-2]", "10.0.0.1"),
    ],
)
def test_the_first_host_of_a_list(nodes: str, first: str):
    assert slurm.first_host(nodes) == first


def test_ports_of_steps_and_of_following_jobs_differ():
    ports = {
        slurm.rendezvous(STEP | {"SLURM_JOB_ID": str(job), "SLURM_STEP_ID": str(step)}).port
        for job in range(9_990, 10_090)
        for step in range(4)
    }
    assert len(ports) == 400
    assert min(ports) >= 10_000
    assert max(ports) < 30_000


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SLURM_PROCID": "x"}, "SLURM_PROCID='x' is no number"),
        ({"SLURM_STEP_NODELIST": ""}, "SLURM_STEP_NODELIST='' names no host"),
    ],
)
def test_a_broken_environment_is_one_line(environment: dict[str, str], message: str):
    with pytest.raises(UserError, match=message):
        slurm.rendezvous(STEP | environment)


def test_a_variable_that_is_missing_is_named():
    with pytest.raises(UserError, match="but not SLURM_STEP_ID; start the stage with srun"):
        slurm.rendezvous({name: of for name, of in STEP.items() if name != "SLURM_STEP_ID"})


def test_processes_are_shared_out_over_the_tasks(monkeypatch: pytest.MonkeyPatch):
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    command, _ = torchrun.command(6, None)
    assert "--nproc-per-node=3" in command
    assert "--standalone" not in command
    with pytest.raises(UserError, match="--gpus 3: srun started 2 tasks"):
        torchrun.command(3, None)


def test_two_agents_meet(tmp_path):
    """As two tasks of srun on this machine, two processes below each."""
    (tmp_path / "member.py").write_text(MEMBER)
    # A job number of this test process: a port that no other test run uses.
    here = {"SLURM_STEP_NODELIST": "localhost", "SLURM_JOB_ID": str(os.getpid())}
    make = (
        "import os; from rarl.runtime import torchrun; "
        "command, _ = torchrun.command(4, 30); os.execv(command[0], [*command, 'member'])"
    )
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    agents = [
        subprocess.Popen(
            [sys.executable, "-c", make],
            env={**os.environ, **STEP, **here, "SLURM_PROCID": str(rank), "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    printed = [agent.communicate(timeout=120)[0] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0]
    assert printed == ["met [0, 1, 2, 3]\n", ""]
