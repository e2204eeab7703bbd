"""Runs targets of the Makefile and notes how long they take: `docs/results/times.json`.

    python docs/measure_times.py quick table2 fast_tests tests

Run it in a clean clone with a finished environment (`make environment`), on a machine that does
nothing else. Minutes are of the wall's clock. Core-seconds are of all child processes, memory is
that of the largest one.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from rarl.runtime import cores
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_text

ROOT = Path(__file__).resolve().parent.parent
TIMES = ROOT / "docs" / "results" / "times.json"
TARGETS = {"quick": "quick", "table2": "table2", "tests": "test", "fast_tests": "test-fast"}


def measure(name: str) -> dict[str, object]:
    """Runs one target. Raises `UserError` when it fails, or when its results are there already."""
    table = ROOT / "results" / "tables" / f"{name}.csv"
    if table.exists():
        raise UserError(
            f"{table}: is there already, so the run would take no time; use a new clone"
        )
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["make", TARGETS[name]], cwd=ROOT, check=False)
    if done.returncode:
        raise UserError(f"make {TARGETS[name]}: ended with {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    head = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return {
        "minutes": round((time.monotonic() - start) / 60, 2),
        "core_seconds": round(seconds),
        "memory_mib": round(after.ru_maxrss / 1024),  # KiB on Linux; of the largest child so far
        "cores": cores.available(),
        "commit": subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="+", choices=list(TARGETS))
    for name in parser.parse_args().targets:
        try:
            found = measure(name)
        except UserError as error:
            print(f"measure_times: error: {error}", file=sys.stderr)
            return 1
        times = json.loads(TIMES.read_text(encoding="utf-8")) | {name: found}
        lines = [f"  {json.dumps(key)}: {json.dumps(of)}" for key, of in times.items()]
        write_text(TIMES, "{\n" + ",\n".join(lines) + "\n}\n")
        print(name, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
