"""How many cores this process may use. Imports no torch."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
NO_QUOTA = float(2**31)  # more cores than any machine has


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
