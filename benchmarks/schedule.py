"""When jobs end that share some cores: list scheduling by priority, as Snakemake has it."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Job:
    seconds: float
    needs: tuple[str, ...] = ()  # names of jobs that end before it begins
    threads: int = 1  # cores that it holds, or all where there are fewer
    priority: int = 0


@dataclass(frozen=True)
class Run:
    begin: float
    end: float


def schedule(jobs: Mapping[str, Job], cores: int) -> dict[str, Run]:
    """Begin and end of every job, in seconds.

    Whenever a job ends, those that may begin are taken in the order of their priority, and of
    `jobs` where it is equal; each begins if its cores are free. Raises ValueError for jobs that
    need each other or an unknown one.
    """
    check(jobs)
    runs: dict[str, Run] = {}
    waiting = sorted(jobs, key=lambda name: -jobs[name].priority)
    running: list[tuple[float, str]] = []
    now, free = 0.0, cores
    while waiting or running:
        ended = {name for name, run in runs.items() if run.end <= now}
        for name in [name for name in waiting if ended.issuperset(jobs[name].needs)]:
            held = min(jobs[name].threads, cores)
            if held <= free:
                free -= held
                waiting.remove(name)
                runs[name] = Run(now, now + jobs[name].seconds)
                heapq.heappush(running, (runs[name].end, name))
        now, name = heapq.heappop(running)
        free += min(jobs[name].threads, cores)
        while running and running[0][0] <= now:
            free += min(jobs[heapq.heappop(running)[1]].threads, cores)
    return runs


def makespan(jobs: Mapping[str, Job], cores: int) -> float:
    """Seconds until the last job ends."""
    return max((run.end for run in schedule(jobs, cores).values()), default=0.0)


def critical_path(jobs: Mapping[str, Job]) -> list[str]:
    """The jobs, each of which needs the one before it, that take the longest: no number of cores
    is faster."""
    check(jobs)

    @cache
    def longest(name: str) -> tuple[float, tuple[str, ...]]:
        before = max((longest(need) for need in jobs[name].needs), default=(0.0, ()))
        return before[0] + jobs[name].seconds, (*before[1], name)

    return list(max((longest(name) for name in jobs), default=(0.0, ()))[1])


def check(jobs: Mapping[str, Job]) -> None:
    """Raises ValueError for jobs that need each other or an unknown one."""
    left = dict(jobs)
    for name, job in jobs.items():
        for need in job.needs:
            if need not in jobs:
                raise ValueError(f"job {name} needs {need}, which is not there")
    while left:
        ready = [name for name, job in left.items() if not any(need in left for need in job.needs)]
        if not ready:
            raise ValueError(f"jobs need each other: {', '.join(list(left)[:5])}")
        for name in ready:
            del left[name]
