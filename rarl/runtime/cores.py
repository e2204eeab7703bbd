"""How many cores this process may use. Imports no torch."""

import math
import os
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
NO_QUOTA = float(2**31)  # more cores than any machine has


def limit(workflow: Any) -> str | None:
    """Lets a Snakemake workflow use no more cores of this machine than it has; what to tell.

    Without it, jobs of `--cores 8` on two cores share them, each slower than alone. Nothing changes
    where other nodes run the jobs. `_cores` is Snakemake's own name of this resource: tests say
    whether the installed version still knows it.
    """
    given, most = workflow.resource_settings.cores, available()
    on_nodes = workflow.resource_settings.nodes is not None
    if given is None or given <= most or on_nodes or not workflow.is_main_process:
        return None
    workflow.register_resource("_cores", most)
    return f"--cores {given}: this machine has {most}, using these"


def available(root: Path = CGROUP) -> int:
    """The cores of the affinity mask, at most the quota of the control group; at least 1.

    Batch systems set the mask, containers the quota; `os.cpu_count` knows neither.
    """
    return max(1, min(_affinity(), math.ceil(quota(root))))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS has no affinity mask


def quota(root: Path = CGROUP) -> float:
    """Cores that the control group mounted at `root` grants; `NO_QUOTA` where it sets none.

    Version 2: `cpu.max` holds "quota period" or "max period", in microseconds. Version 1: one
    file each, and a quota of -1 for none.
    """
    try:
        if (root / "cpu.max").exists():
            granted, period = (root / "cpu.max").read_text().split()
        else:
            granted = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        if granted in ("max", "-1"):
            return NO_QUOTA
        return int(granted) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no control groups here
        return NO_QUOTA
