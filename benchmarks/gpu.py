"""All that only a GPU can show, in eight minutes, without an installation.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --parts sampling rl --output found.json

Needs a clone and torch, numpy, safetensors, pydantic, PyYAML, jaxtyping and tqdm. Every part checks
that a path computes what it should before it is timed, and runs in a process of its own: a part
that fails, or takes more than its share of the time, is named and the others go on. After each part
build/gpu.json holds all findings so far, and build/gpu.md shows them.

`--small` runs everything at toy sizes, on a CPU, too: the test of this script.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]
MINUTES = 8.0
LEAST = 20.0  # seconds left, without which no part begins
PRELOADED = ["gpu_parts.sampling", "gpu_parts.training", "gpu_parts.runs"]
WHERE = {
    "sampling": ("sampling", "run"),
    "vqvae": ("training", "vqvae"),
    "prior": ("training", "priors"),
    "rl": ("training", "rl"),
    "resume": ("runs", "resumed"),
    "processes": ("runs", "processes"),
}
# In the order in which they run, with the most seconds that each may take.
PARTS = {
    "sampling": 150.0,
    "vqvae": 60.0,
    "prior": 120.0,
    "rl": 120.0,
    "resume": 60.0,
    "processes": 60.0,
    "vqvae-compiled": 120.0,
    "prior-compiled": 180.0,
    "rl-compiled": 180.0,
}


def work(name: str, *, small: bool) -> Any:
    """What a part finds."""
    from gpu_parts import sizes  # noqa: PLC0415 - in the part's process

    stage, _, compiled = name.partition("-")
    module, function = WHERE[stage]
    options = {"compiled": partial(_compile, small=small)} if compiled else {}
    part = getattr(importlib.import_module(f"gpu_parts.{module}"), function)
    return part(sizes.config(small=small), **options)


def _compile(module: Any, *, small: bool) -> None:
    """In place. At toy sizes without the compiler itself, which may be missing."""
    import torch  # noqa: PLC0415 - in the part's process

    name = "features" if hasattr(module, "features") else "forward"
    backend = "eager" if small else "inductor"
    setattr(module, name, torch.compile(getattr(module, name), backend=backend))


def _member(name: str, small: bool, back: Connection) -> None:
    """A part in a process of its own; sends what it finds, or why it failed."""
    if small:
        import torch  # noqa: PLC0415

        torch.set_num_threads(1)
    try:
        found = work(name, small=small)
        back.send({"status": "passed", "checks": found.checks, "rows": found.rows})
    except BaseException as error:  # whatever it is, it is named
        said = "".join(traceback.format_exception(error)[-3:])
        back.send({"status": "failed", "error": said})


def run(name: str, *, small: bool, limit: float) -> dict[str, Any]:
    """What a part found, its seconds, or what became of it."""
    start = time.monotonic()
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_member, args=(name, small, there))
    process.start()
    there.close()
    try:
        found = here.recv() if here.poll(limit) else {"status": f"stopped after {limit:.0f} s"}
    except EOFError:
        process.join()
        found = {"status": "failed", "error": f"its process ended with {process.exitcode}"}
    process.kill()
    process.join()
    return found | {"seconds": time.monotonic() - start}


def machine() -> dict[str, str]:
    import torch  # noqa: PLC0415 - after the options were read

    from rarl.runtime import device  # noqa: PLC0415

    found = {"device": device.name(), "python": platform.python_version()}
    found |= {"torch": torch.__version__, "CUDA": str(torch.version.cuda)}
    if torch.cuda.is_available():
        of = torch.cuda.get_device_properties(0)
        found["memory"] = f"{of.total_memory / 2**30:.0f} GiB"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--output", type=Path, default=Path("build/gpu.json"))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([*sys.path[:2], os.environ.get("PYTHONPATH", "")])
    from gpu_parts.page import markdown  # noqa: PLC0415

    end = time.monotonic() + 60 * options.minutes
    found: dict[str, Any] = {"machine": machine(), "small": options.small, "parts": {}}
    for name in options.parts:
        left = end - time.monotonic()
        if left < LEAST:
            found["parts"][name] = {"status": "not run: no time left", "seconds": 0.0}
        else:
            limit = left if options.small else min(PARTS[name], left)
            found["parts"][name] = run(name, small=options.small, limit=limit)
        print(f"{name}: {found['parts'][name]['status']}", flush=True)
        write(options.output, json.dumps(found, indent=1) + "\n")
        write(options.output.with_suffix(".md"), markdown(found))
    print(f"\n{markdown(found)}\n{options.output}, {options.output.with_suffix('.md')}")
    failed = [name for name, part in found["parts"].items() if part["status"] != "passed"]
    print(f"not passed: {', '.join(failed)}" if failed else "all parts passed")
    return int(bool(failed))


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
