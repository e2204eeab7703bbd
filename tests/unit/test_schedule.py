"""Simulated schedules of jobs. Oracle: graphs whose ends are known, and exhaustive bounds."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from schedule import Job, critical_path, makespan, schedule

CHAIN = {"a": Job(3.0), "b": Job(2.0, ("a",)), "c": Job(1.0, ("b",))}
EQUAL = {str(i): Job(1.0) for i in range(12)}
# Graham's anomaly (1969): nine jobs, their times and what they need; 12 on 3 cores, 15 on 4.
TIMES = (3, 2, 2, 2, 4, 4, 4, 4, 9)
GRAHAM = {
    str(i): Job(float(time), {9: ("1",), 5: ("4",), 6: ("4",), 7: ("4",), 8: ("4",)}.get(i, ()))
    for i, time in enumerate(TIMES, 1)
}


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_a_chain_takes_the_sum_on_any_number_of_cores(cores: int):
    assert makespan(CHAIN, cores) == 6.0
    assert critical_path(CHAIN) == ["a", "b", "c"]


@pytest.mark.parametrize(("cores", "seconds"), [(1, 12), (2, 6), (5, 3), (8, 2), (64, 1)])
def test_equal_jobs_run_in_waves(cores: int, seconds: float):
    assert makespan(EQUAL, cores) == seconds


@pytest.mark.parametrize(("cores", "seconds"), [(3, 12), (4, 15)])
def test_grahams_anomaly(cores: int, seconds: float):
    assert makespan(GRAHAM, cores) == seconds


def test_the_higher_priority_goes_first():
    jobs = {"short": Job(1.0), "other": Job(1.0), "long": Job(2.0)}
    assert makespan(jobs, 2) == 3.0  # in the order in which they stand
    assert makespan(jobs | {"long": Job(2.0, priority=1)}, 2) == 2.0


def test_threads_hold_cores_and_narrower_jobs_pass_by():
    jobs = {"a": Job(2.0), "wide": Job(1.0, threads=2), "b": Job(2.0)}
    runs = schedule(jobs, 2)
    assert (runs["a"].begin, runs["b"].begin, runs["wide"].begin) == (0.0, 0.0, 2.0)
    assert makespan(jobs, 1) == 5.0  # all cores, where it asks for more


def test_nothing_and_nonsense():
    assert makespan({}, 1) == 0.0
    with pytest.raises(ValueError, match="a needs x"):
        makespan({"a": Job(1.0, ("x",))}, 1)
    with pytest.raises(ValueError, match="need each other: a, b"):
        makespan({"a": Job(1.0, ("b",)), "b": Job(1.0, ("a",))}, 1)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for i in range(draw(st.integers(1, 10))):
        needs = draw(st.sets(st.sampled_from(sorted(jobs)))) if jobs else set()
        number = draw(st.integers(0, 9))
        threads, priority = draw(st.integers(1, 3)), draw(st.integers(0, 1))
        jobs[str(i)] = Job(float(number), tuple(sorted(needs)), threads, priority)
    return jobs


@settings(deadline=None)
@given(graphs(), st.integers(1, 5))
def test_a_schedule_is_possible_and_within_its_bounds(jobs: dict[str, Job], cores: int):
    runs = schedule(jobs, cores)
    assert runs.keys() == jobs.keys()
    for name, job in jobs.items():
        assert runs[name].end == runs[name].begin + job.seconds
        assert all(runs[need].end <= runs[name].begin for need in job.needs)
    held = {name: min(job.threads, cores) for name, job in jobs.items()}
    for moment in {run.begin for run in runs.values()}:
        busy = [name for name, run in runs.items() if run.begin <= moment < run.end]
        assert sum(held[name] for name in busy) <= cores
    path = sum(jobs[name].seconds for name in critical_path(jobs))
    work = sum(job.seconds * held[name] for name, job in jobs.items())
    assert max(path, work / cores) <= makespan(jobs, cores)
    assert makespan(jobs, cores) <= sum(job.seconds for job in jobs.values())
    assert makespan(jobs, 64) == path  # nothing waits for a core
