"""What the workflow runs and, above all, what it does not run again.

A copy of the workflow gets a command line that only writes its outputs and notes when it ran, so
Snakemake keeps real records of finished jobs. Each test then changes one thing and compares the
jobs of a dry run with the exact list that the change concerns.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest
import yaml

from helpers.paths import ROOT, TINY
from rarl import stages
from rarl.runtime import device

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
FAKE_COMMAND_LINE = """
import os, sys, time
from pathlib import Path
start = time.monotonic()
time.sleep(float(os.environ.get("JOB_SECONDS", "0.1")))  # jobs that start together overlap
for argument in sys.argv[1:]:
    if argument.startswith("results/") and not Path(argument).exists():
        Path(argument).write_text(argument)
with open("times", "a") as times:
    times.write(f"{start} {time.monotonic()}\\n")
"""

PROFILE = "profile.v9+.yaml"
MLE = {
    "finetune mle",
    *(f"{rule} mle {seed}" for rule in ("sample", "features") for seed in (0, 1)),
    "distance mle",
}
REAL = {"held_out_features", "held_out_distance"}  # the row of real images
SINGLE = {name.replace("mle", "single") for name in MLE}
REPORT = {"plot samples-squares16", "plot curves-squares16", "table tiny"}
AFTER_PRIOR = MLE | SINGLE | REPORT
AFTER_VQVAE = {"codes", "prior", "reference"} | REAL | AFTER_PRIOR
SAMPLING = AFTER_PRIOR - {"finetune mle", "finetune single", "plot curves-squares16"}
RIVALS = ("mle", "cold", "rejection", "partial", "frechet")
GENERATORS = ("mle", "single", "frechet")  # of the oracle experiment
MEASURED_ANEW = REAL | {job for job in MLE | SINGLE if job.startswith(("features", "distance"))}
ALL = {"prepare", "vqvae"} | AFTER_VQVAE


def snakemake(folder: Path, *arguments: str, ok: bool = True) -> str:
    """Runs Snakemake on one core; returns everything that it printed."""
    done = subprocess.run(
        [SNAKEMAKE, "--cores", "8", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / ".cache")},
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == ok, done.stdout
    return done.stdout


def planned(
    folder: Path, *arguments: str, targets: tuple[str, ...] = ("results/tables/tiny.csv",)
) -> set[str]:
    """The jobs of a dry run as `rule method seed`, `table NAME` or `plot NAME`."""
    output = snakemake(folder, "--dry-run", *targets, *arguments)
    jobs = set()
    for block in re.split(r"\n(?=(?:local)?rule )", output)[1:]:
        words = [re.match(r"(?:local)?rule (\w+):", block).group(1)]
        for wildcard in ("method", "seed"):
            words += re.findall(rf"wildcards:.*\b{wildcard}=(\w+)", block)
        if words[0] in ("table", "plot"):
            words += re.findall(r"wildcards: (?:table|figure)=(\S+)", block)
        jobs.add(" ".join(words))
    return jobs - {"default"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A folder in which everything has run."""
    folder = tmp_path_factory.mktemp("workflow")
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copy(TINY, folder / "config.yaml")
    for name in ("workflow", "profiles", "rarl"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "rarl" / "cli.py").write_text(FAKE_COMMAND_LINE)
    assert planned(folder) == ALL
    (folder / "printed").write_text(snakemake(folder, "results/tables/tiny.csv"))
    return folder


@pytest.fixture(scope="module")
def all_finished(finished) -> Path:
    """The same, and every other table and figure."""
    snakemake(finished)
    assert planned(finished, targets=()) == set()
    return finished


@pytest.fixture
def edited(finished, tmp_path):
    """Writes the configuration with one text replaced; gives the arguments that select it."""

    def edit(old: str, new: str) -> tuple[str, str]:
        text = (finished / "config.yaml").read_text()
        assert text.count(old) == 1
        (tmp_path / "edited.yaml").write_text(text.replace(old, new))
        return "--configfile", str(tmp_path / "edited.yaml")

    return edit


def test_table_brings_its_figures_and_then_nothing_is_left_to_do(finished):
    for name in ("tables/tiny.md", "figures/samples-squares16.png", "figures/curves-squares16.png"):
        assert (finished / "results" / name).is_file()
    assert planned(finished) == set()


def test_cores_beyond_the_machine_run_no_two_jobs_at_once(finished):
    spans = sorted(
        tuple(map(float, line.split())) for line in (finished / "times").read_text().splitlines()
    )
    assert len(spans) == len(ALL)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert "--cores 8: this machine has 1" in (finished / "printed").read_text()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("codebook_decay: 0.9", "codebook_decay: 0.8", {"vqvae"} | AFTER_VQVAE),
        ("dropout: 0.1", "dropout: 0.2", {"prior"} | AFTER_PRIOR),
        ("iterations: 4", "iterations: 5", AFTER_PRIOR),
        ("warmup_steps: 1", "warmup_steps: 2", SINGLE | REPORT),
        (
            "        learning_rate: 1e-4",
            "        learning_rate: 2e-4",
            SINGLE | REPORT,
        ),  # a critic's
        ("window: 40", "window: 41", set()),
        ("discount: 0.9", "discount: 0.8", set()),
        ("start_temperature: 1.0", "start_temperature: 0.9", SINGLE | REPORT),
        ("precision: float32", "precision: bfloat16", {"vqvae"} | AFTER_VQVAE),
        ("count: 12", "count: 13", SAMPLING | REAL),
        ("held_out: 12", "held_out: 11", {"reference"} | REAL | AFTER_PRIOR),
        (
            "extractors: [efficientnet_lite0]",
            "extractors: [efficientnet_lite0, mobilenet_v2]",
            MEASURED_ANEW | {"reference", "table tiny"},
        ),
        ("shards: 1", "shards: 2", SAMPLING),
        ("gpus: {vqvae: 1, prior: 1", "gpus: {vqvae: 1, prior: 2", {"prior"} | AFTER_PRIOR),
        ("threads: {vqvae: 1, prior: 1", "threads: {vqvae: 1, prior: 2", {"prior"} | AFTER_PRIOR),
        ("every_seconds: 60", "every_seconds: 61", set()),
        (
            "reference: reconstructions",
            "reference: images",
            {"reference_images", "held_out_distance"} | AFTER_PRIOR,
        ),
        ("title: Squares", "title: Images", {"table tiny"}),
        ("label: MLE", "label: Likelihood", REPORT),
        ("# The whole workflow", "# Another comment", set()),
    ],
)
def test_a_setting_runs_again_what_depends_on_it(finished, edited, old, new, expected):
    assert planned(finished, *edited(old, new)) == expected


@pytest.mark.parametrize("cores", ["1", "2", "8"])
def test_a_stage_has_the_threads_of_the_configuration(finished, edited, cores):
    """Of all its processes, on any number of cores: the same bits."""
    chosen = edited("threads: {vqvae: 1, prior: 1, rl: 1}", "threads: {vqvae: 3, prior: 2, rl: 1}")
    options = ("--dry-run", "--forceall", "--printshellcmds", "--cores", cores, *chosen)
    said = snakemake(finished, *options, "--", "results/tables/tiny.csv")
    commands = re.findall(r"rarl\.cli stage (\w+) (?:--gpus (\d) )?--threads (\d)", said)
    assert {(stage, gpus, threads) for stage, gpus, threads in commands if threads != "1"} == {
        ("vqvae", "1", "3"),
        ("prior", "1", "2"),
    }
    assert {stage for stage, gpus, _ in commands if gpus} == {"vqvae", "prior", "finetune"}


def after_draws(method: str) -> set[str]:
    measured = {f"features {method} {seed}" for seed in (0, 1)}
    return measured | {f"distance {method}", f"quality {method}", "table quality"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "draws: 3",
            "draws: 4",
            {f"reject rejection {s}" for s in (0, 1)} | after_draws("rejection"),
        ),
        (
            "temperature: 0.5",
            "temperature: 0.6",
            {f"sample cold {s}" for s in (0, 1)} | after_draws("cold"),
        ),
        (
            "kid_subsets: 4",
            "kid_subsets: 5",
            {
                "held_out_quality",
                "table quality",
                "table replicated",
                *(f"quality {of}" for of in (*RIVALS, "single")),
            },
        ),
        (
            "window: 40",
            "window: 41",
            {"table quality", "table oracle", "nll frechet"}
            | {f"{rule} frechet" for rule in ("finetune", "distance", "quality")}
            | {f"{rule} frechet {seed}" for rule in ("sample", "features") for seed in (0, 1)},
        ),
        (
            "bottom: {attention_layers: 0, output_stack_layers: 0}",
            "bottom: {attention_layers: 1, output_stack_layers: 0}",
            None,  # much, but no other grid's prior
        ),
        (
            "train: 32, val: 8",
            "train: 32, val: 9",
            {"oracle_codes", "prior", "table oracle", "reward_reference frechet"}
            | {f"{rule} {of}" for of in GENERATORS for rule in ("finetune", "nll")}
            | {f"sample {of} {seed}" for of in GENERATORS for seed in (0, 1)},
        ),
        (
            "batch_size: 4, paper",
            "batch_size: 5, paper",
            {"seconds single", "seconds partial", "table seconds"},
        ),
        ("title: Time,", "title: Times,", {"plot time"}),
        ("hierarchy16: two grids", "hierarchy16: 2 grids", {"plot figure1"}),
        ("title: Models", "title: Model", {"table architecture"}),
        ("title: Floors", "title: Floor", {"table reconstruction"}),
    ],
)
def test_a_setting_of_the_other_targets_runs_again_what_depends_on_it(
    all_finished, edited, old, new, expected
):
    jobs = planned(all_finished, *edited(old, new), targets=())
    if expected is not None:
        assert jobs - {"table_page"} == expected
        assert ("table_page" in jobs) == any(job.startswith("table ") for job in expected)
    else:
        assert "prior" in jobs
        assert not {"vqvae", "codes", "oracle", "reconstruction"} & jobs


def test_the_report_shows_every_table_and_figure(all_finished, tmp_path):
    snakemake(all_finished, "--report", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()
    for shown in ("tables/quality.html", "tables/tiny.html", "figures/figure1.png", "time.png"):
        assert f"results/{shown}" in text or shown in text, shown
    assert "Squares. The same as CSV and Markdown" in text  # a caption, with the table's title
    assert "Reinforced adversarial learning" in text


def test_an_unrelated_experiment_runs_nothing_again(finished, edited):
    other = "experiments:\n  other:\n    dataset: squares\n    image_size: 16\n    seed: 5\n"
    assert planned(finished, *edited("experiments:\n", other)) == set()


@pytest.mark.parametrize(
    ("module", "old", "new", "expected"),
    [
        ("stages/sample.py", '"""', '"""Reworded. ', set()),
        ("stages/sample.py", "def run(", "CHANGED = 1\n\n\ndef run(", SAMPLING),
        ("rl/critics/pixel.py", "class Pixel", "CHANGED = 1\n\n\nclass Pixel", SINGLE | REPORT),
        ("generator.py", "class Generator", "CHANGED = 1\n\n\nclass Generator", set()),
    ],
)
def test_code_runs_again_what_it_computes(finished, module, old, new, expected):
    path = finished / "rarl" / module
    before = path.read_text()
    path.write_text("# A comment.\n" + before.replace(old, new, 1))
    try:
        assert planned(finished) == expected
    finally:
        path.write_text(before)


@pytest.fixture
def accepting(finished, tmp_path):
    """A copy of the finished workflow, and `rarl accept` in it."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)  # time stamps, too
    code = (
        "import sys; from pathlib import Path; from rarl.commands import staleness;"
        "print(staleness.accept(sys.argv[2:], configfile=[Path(sys.argv[1])],"
        " snakefile=Path('Snakefile'), yes=True))"
    )

    def accept(configfile: str = "config.yaml", *targets: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, configfile, *targets],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / ".cache")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    return folder, accept


TINY_TABLE = "results/tables/tiny.csv"


def test_accepted_code_and_settings_run_nothing_again_and_later_ones_do(accepting):
    folder, accept = accepting
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    stage, config = folder / "rarl" / "stages" / "sample.py", folder / "config.yaml"
    stage.write_text(stage.read_text().replace("def run(", "CHANGED = 1\n\n\ndef run(", 1))
    config.write_text(config.read_text().replace("codebook_decay: 0.9", "codebook_decay: 0.8"))
    assert planned(folder) == {"vqvae"} | AFTER_VQVAE

    shown = accept("config.yaml", TINY_TABLE)
    assert "squares16/mle/samples-0-0.safetensors" in shown
    assert "module rarl.stages.sample\n" in shown
    assert "setting vqvae.codebook_decay: 0.9 -> 0.8" in shown
    assert planned(folder) == set()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == before

    [line] = (folder / "results" / "accepted.jsonl").read_text().splitlines()
    acceptance = json.loads(line)
    of = acceptance["outputs"]["results/squares16/vqvae.safetensors"]
    assert of["changed"] == ["setting vqvae.codebook_decay: 0.9 -> 0.8"]
    assert of["old"]["code"] == of["new"]["code"]
    assert json.loads(of["old"]["settings"])["vqvae"]["codebook_decay"] == 0.9
    assert json.loads(of["new"]["settings"])["vqvae"]["codebook_decay"] == 0.8
    assert acceptance["tables"] == ["results/tables/tiny.md"]

    assert "nothing is stale" in accept("config.yaml", TINY_TABLE)
    stage.write_text(stage.read_text().replace("CHANGED = 1", "CHANGED = 2"))
    assert planned(folder) == SAMPLING


def test_what_has_to_run_is_not_accepted(accepting):
    folder, accept = accepting
    stage = folder / "rarl" / "stages" / "sample.py"
    stage.write_text(stage.read_text().replace("def run(", "CHANGED = 1\n\n\ndef run(", 1))
    (folder / "results/squares16/mle/samples-0-0.safetensors").unlink()
    shown = accept("config.yaml", TINY_TABLE)
    assert "squares16/mle/samples-0-0.safetensors" not in shown
    assert "squares16/single/samples-0-0.safetensors" in shown
    assert "sample mle 0" in planned(folder)
    assert "sample single 0" not in planned(folder)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/figures/figure2.png", "no figure is named 'figure2' (did you mean 'figure1'?)"),
        ("results/squares61/vqvae.jsonl/x", "no experiment is named 'squares61'"),
        ("results/tables/tiyn.csv", "no table is named 'tiyn' (did you mean 'tiny'?)"),
        (
            "results/squares16/singel/distance.json",
            "no method is named 'singel' (did you mean 'single'?)",
        ),
    ],
)
def test_a_misspelt_target_is_named(finished, target, message):
    assert f"{target}: {message}" in snakemake(finished, "--dry-run", target, ok=False)


def test_a_wrong_configuration_is_one_line(finished, edited):
    output = snakemake(finished, "-n", *edited("top_k: 0", "topk: 0"), ok=False)
    line = "experiments.squares16.sampling.topk: unknown key (did you mean 'top_k'?)"
    assert line in output
    assert "Traceback" not in output


def test_results_elsewhere(finished):
    output = snakemake(finished, "-n", "-p", "--config", "results=else where")
    assert "--csv 'else where/tables/tiny.csv'" in output


def test_of_two_snakemakes_at_once_the_second_is_refused(finished, monkeypatch):
    monkeypatch.setenv("JOB_SECONDS", "1")
    times = finished / "times"
    before = times.stat().st_size
    with ThreadPoolExecutor() as beside:
        first = beside.submit(snakemake, finished, "--forceall", "results/tables/tiny.csv")
        while times.stat().st_size == before:  # until its first job has run
            time.sleep(0.02)
        second = snakemake(finished, "--force", "results/tables/tiny.csv", ok=False)
        assert "Directory cannot be locked" in second
        assert "(100%) done" in first.result()


def test_the_slurm_profile_gives_a_gpu_to_every_rule_that_uses_one():
    """Those whose stage can pick a device, itself or by a helper of the stages."""

    def picks(module: ModuleType) -> bool:
        helpers = {
            value.__module__
            for value in vars(module).values()
            if getattr(value, "__module__", "").startswith("rarl.stages._")
        } - {module.__name__}
        return device in vars(module).values() or any(
            picks(sys.modules[helper]) for helper in helpers
        )

    profile = yaml.safe_load((ROOT / "workflow" / "profiles" / "slurm" / PROFILE).read_text())
    names = [of.name for of in iter_modules(stages.__path__) if not of.name.startswith("_")]
    uses = {name for name in names if picks(import_module(f"rarl.stages.{name}"))}
    assert "sample" in uses
    assert "distance" not in uses
    uses |= {"oracle", "reward_reference"}  # stages `prior` and `reference` under other names
    given = {rule for rule, of in profile["set-resources"].items() if of.get("gpu")}
    assert given == uses
