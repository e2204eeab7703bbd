"""How long a target would take on other numbers of cores, from the seconds of a run.

    python benchmarks/cores.py config.yaml results/tables/table2.csv

Runs in the folder in which the workflow ran: the seconds of each job are those that Snakemake
measured (`results/benchmarks/**.tsv`, of the wall: of a machine that did nothing else). The jobs of
the target, with their threads and priorities, are scheduled as Snakemake would. Where a job has
more threads than cores, or cores share memory and caches, the time is longer than simulated.
"""

import argparse
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from schedule import Job, critical_path, makespan
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ChangeType,
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
)

from rarl.runtime import cores

CORES = (1, 2, 4, 8, 16, 64)
MANY = 2**20  # so that no job's threads are cut


def planned(snakefile: Path, configfile: Path, target: str) -> Iterable[Any]:
    """Snakemake's jobs behind a target, finished or not, each with those that it needs."""
    with (
        SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
        patch.object(cores, "available", lambda: MANY),
    ):
        workflow = api.workflow(
            ResourceSettings(cores=MANY),
            config_settings=ConfigSettings(configfiles=[configfile]),
            snakefile=snakefile,
        )
        dag = workflow.dag(DAGSettings(targets={target}, forceall=True))
        with redirect_stdout(io.StringIO()):  # plans, and prints what is not asked for
            dag.list_changes(ChangeType.PARAMS)
        planned = workflow._workflow.dag
        yield from ((job, list(planned.dependencies[job])) for job in planned.jobs)


def measured(path: Path) -> float:
    """Seconds in a file that Snakemake wrote."""
    with path.open(encoding="utf-8", newline="") as lines:
        return float(next(csv.DictReader(lines, delimiter="\t"))["s"])


def name(job: Any) -> str:
    """A job by the first of its files."""
    return str(next(iter(job.output), job.rule.name))


def of_snakemake(found: Sequence[Any], others: float) -> dict[str, Job]:
    """`others`: seconds of a job that Snakemake does not measure; 0 of one that makes nothing.

    Raises SystemExit when jobs were not run here.
    """
    files = {job: Path(str(job.benchmark)) for job, _ in found if job.benchmark}
    if missing := sorted(str(path) for path in files.values() if not path.is_file()):
        raise SystemExit("\n".join(["run the target here first; there are no", *missing]))
    jobs = {}
    for job, needs in found:
        seconds = measured(files[job]) if job in files else others
        jobs[name(job)] = Job(
            seconds if job.output else 0.0,
            tuple(sorted(map(name, needs))),
            int(job.threads),
            int(job.rule.priority),
        )
    return dict(sorted(jobs.items()))


def table(jobs: dict[str, Job], numbers: Iterable[int]) -> str:
    longest = critical_path(jobs)
    total = sum(job.seconds * job.threads for job in jobs.values())
    lines = ["| cores | minutes | of the cores' time |", "|---:|---:|---:|"]
    for number in numbers:
        seconds = makespan(jobs, number)
        lines.append(f"| {number} | {seconds / 60:.1f} | {total / seconds / number:.0%} |")
    path = sum(jobs[name].seconds for name in longest)
    lines += ["", f"{len(jobs)} jobs, {total:,.0f} core-seconds. The longest path, {path:,.0f} s:"]
    lines += [f"- {jobs[name].seconds:7,.0f} s {name}" for name in longest if jobs[name].seconds]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("target")
    parser.add_argument("--snakefile", type=Path, default=Path("Snakefile"))
    parser.add_argument("--cores", type=int, nargs="+", default=list(CORES))
    parser.add_argument("--others", type=float, default=3.0, help="seconds of a job not measured")
    options = parser.parse_args()
    found = list(planned(options.snakefile, options.config, options.target))
    unmeasured = Counter(job.rule.name for job, _ in found if not job.benchmark and job.output)
    print(table(of_snakemake(found, options.others), options.cores))
    if unmeasured:
        rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(unmeasured.items()))
        print(f"\nNot measured, {options.others:g} s each: {rules}")


if __name__ == "__main__":
    main()
