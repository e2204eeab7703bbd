"""The fingerprint changes with what a stage computes, and with nothing else."""

import ast
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from helpers import paths
from helpers.small_settings import ADVERSARIAL, PERCEPTUAL
from rarl import config, kinds
from rarl.config import Limit, parse, stages
from rarl.config.stages.train import FinetuneSettings, VqvaeSettings
from rarl.runtime import fingerprint

SOURCES = {
    "__init__.py": "from rarl.models import other",
    "cli.py": "import rarl.stages.alpha",
    "config.py": "WIDTH = 1",
    "layout.py": "from rarl.config import WIDTH",
    "shared.py": "X = 1",
    "runtime/__init__.py": "",
    "runtime/progress.py": "def track(): ...",
    "models/__init__.py": "",
    "models/inner.py": "from rarl.shared import X\n",
    "models/other.py": "Y = 2",
    "stages/__init__.py": "",
    "stages/alpha.py": '''"""Alpha."""
from rarl.layout import WIDTH
from rarl.runtime.progress import track
import torch

def run(settings):
    """Runs."""
    from rarl.models import inner
    return f"{inner.X}"  # a comment
''',
    "stages/beta.py": "import rarl.models.other as other\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package; `set(name, text)` writes a source and forgets what was read."""
    root = tmp_path / "rarl"
    monkeypatch.setattr(fingerprint, "PACKAGE", root)

    def write(name: str, text: str) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        forget()

    for name, text in SOURCES.items():
        write(name, text)
    yield write
    forget()


def forget() -> None:
    for cached in (fingerprint.hashes, fingerprint._tree, fingerprint._code):
        cached.cache_clear()


def test_follows_imports_and_leaves_out_what_only_reports(package):
    assert fingerprint.modules("rarl.stages.alpha") == {
        "rarl.models",
        "rarl.models.inner",
        "rarl.runtime",
        "rarl.shared",
        "rarl.stages.alpha",
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("shared.py", "X = 1", "X = 2", {"alpha"}),
        ("models/inner.py", "import X", "import X\nZ = 0", {"alpha"}),
        ("models/other.py", "Y = 2", "Y = 3", {"beta"}),
        ("models/__init__.py", "", "A = 1", {"alpha", "beta"}),
        ("stages/alpha.py", "return f", "return 1 or f", {"alpha"}),
        ("stages/alpha.py", "# a comment", "# another\n\n", set()),
        ("stages/alpha.py", '"""Runs."""', "'''Runs fast.'''", set()),
        ("stages/alpha.py", '    """Runs."""\n', "", set()),
        ("stages/alpha.py", "run(settings)", "run(\n    settings,\n)", set()),
        ("shared.py", "X = 1", '"""Shared."""\n\nX = (1)', set()),
        ("config.py", "WIDTH = 1", "WIDTH = 2", set()),
        ("runtime/progress.py", "...", "return 1", set()),
        ("cli.py", "import", "import sys\nimport", set()),
        ("__init__.py", "other", "inner", set()),
    ],
)
def test_changes_exactly_for_the_stages_that_use_it(package, name, old, new, changed):
    before = {stage: fingerprint.compute(stage) for stage in ("alpha", "beta")}
    assert old in SOURCES[name]
    package(name, SOURCES[name].replace(old, new, 1))
    after = {stage: fingerprint.compute(stage) for stage in ("alpha", "beta")}
    assert {stage for stage in before if before[stage] != after[stage]} == changed


def test_relative_import_is_refused_rather_than_missed(package):
    package("models/inner.py", "from . import other")
    with pytest.raises(ValueError, match=r"rarl\.models\.inner line 1: imports must be absolute"):
        fingerprint.compute("alpha")


def test_reads_sources_without_importing_torch():
    code = (
        "import sys; from rarl.runtime import fingerprint; fingerprint.compute('table');"
        "assert not {'torch', 'numpy', 'rarl.stages.table'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_kind_counts_only_where_it_is_chosen(package):
    package("models/added.py", "from rarl.models import other")
    chosen, plain = (
        lambda of=of: fingerprint.compute("alpha", of) for of in (("rarl.models.added",), ())
    )
    before = chosen(), plain()
    assert before[0] != before[1]
    package("models/other.py", "Y = 3")
    assert chosen() != before[0]
    assert plain() == before[1]


TINY = yaml.safe_load(paths.TINY.read_text())
CONFIG = parse(TINY)
SQUARES = "squares16"


def _dataset(kind: str) -> tuple[str, ...]:
    return (kinds.DATASETS[kind],)


def _tokenizer(loss: str) -> tuple[str, ...]:
    of = VqvaeSettings.from_config(CONFIG, SQUARES)
    chosen = {"perceptual": PERCEPTUAL, "adversarial": ADVERSARIAL}[loss]
    vqvae = of.vqvae.model_copy(update={loss: chosen})
    return of.model_copy(update={"vqvae": vqvae}).kinds


def _tuned(experiment: str, method: str) -> tuple[str, ...]:
    return FinetuneSettings.from_config(CONFIG, experiment, method).kinds


PRIOR = (kinds.PRIORS["pixelcnn"],)
SAMPLED = (*PRIOR, kinds.SAMPLERS["pixelcnn"])
CRITIC = (kinds.CRITICS["pixel"],)
KINDS = {  # of the stages that have one job each
    "prior": PRIOR,
    "nll": PRIOR,
    "sample": SAMPLED,
    "oracle_codes": SAMPLED,
    "seconds": SAMPLED,
    "reject": SAMPLED + CRITIC,
    "critic": (*SAMPLED, kinds.REWARDS["critic"], *CRITIC),
}
OF_FEATURES = (
    "reference",
    "reference_images",
    "features",
    "real_features",
    "held_out_features",
)
# Every job of a workflow, as rule and kind, with its stage and the modules of its kinds.
JOBS = {
    **{f"table {kind}": ("table", (module,)) for kind, module in kinds.TABLES.items()},
    **{f"plot {kind}": ("plot", (module,)) for kind, module in kinds.PLOTS.items()},
    **{f"prepare {kind}": ("prepare", _dataset(kind)) for kind in kinds.DATASETS},
    **{
        f"{stage} {module.rpartition('.')[2]}": (stage, (module,))
        for stage in OF_FEATURES
        for module in kinds.EXTRACTORS.values()
    },
    **{f"vqvae {loss}": ("vqvae", _tokenizer(loss)) for loss in kinds.TOKENIZER_LOSSES},
    **{f"finetune {of}": ("finetune", _tuned(SQUARES, of)) for of in ("mle", "single", "frechet")},
    **{
        f"finetune oracle {of}": ("finetune", _tuned("oracle16", of))
        for of in ("mle", "single", "frechet")
    },
    **{
        stage: (stage, KINDS.get(stage, ()))
        for stage in (path.stem for path in (fingerprint.PACKAGE / "stages").glob("[!_]*.py"))
        if stage
        not in {
            *("prepare", *OF_FEATURES),
            *("finetune", "table", "plot"),
        }
    },
}
TUNED = {
    f"{stage} {of}"
    for stage in ("finetune", "finetune oracle")
    for of in ("mle", "single", "frechet")
}
WITH_PERCEPTUAL = {"vqvae perceptual"}
WITH_CRITIC = {"finetune single", "finetune oracle single"}
WITH_FRECHET = {"finetune frechet", "finetune oracle frechet"}
REINFORCED = WITH_CRITIC | WITH_FRECHET
SAMPLING = TUNED | {"sample", "reject", "critic", "oracle_codes", "seconds"}
VQVAES = {"vqvae", "vqvae perceptual", "vqvae adversarial"}
TRAINING = TUNED | VQVAES | {"prior", "critic"}
OF_IMAGES = {job for job in JOBS if job.split()[0] == "reference_images"}
FROM_CODES = {job for job in JOBS if job.split()[0] in OF_FEATURES} - OF_IMAGES
COMPARED = {
    job
    for job in JOBS
    if job.split()[0] in ("reference", "reference_images", "real_features", "held_out_features")
}
DISTANCES = {f"table {kind}" for kind in ("distance", "quality", "replicated", "reconstruction")}
SHOWN = {"plot samples"}
INCEPTION = {job for job in JOBS if job.endswith(" inception")}
EFFICIENTNET = {job for job in JOBS if job.endswith(" efficientnet")}
MOBILENET = {job for job in JOBS if job.endswith(" mobilenet")}
TRANSFORMER = {job for job in JOBS if job.endswith(" vision_transformer")}
BY_DISTANCE = {job for job in TUNED if "oracle" not in job}
TABLES = {job for job in JOBS if job.startswith("table ")}
MEASURED = TABLES - {"table architecture"}
PLOTTED = {"plot curves", "plot time"}

TOUCHES = {
    "__init__.py": set(),
    "generator.py": set(),
    "gallery/collect.py": set(),
    "image_types.py": set(),
    "model_card.py": set(),
    "model_folder.py": set(),
    "runtime/folders.py": set(),
    "runtime/slurm.py": set(),
    "trackers/runs.py": set(),
    "kinds.py": set(),
    "config/experiment.py": set(),
    "layout.py": set(),
    "config/stages/train.py": set(),
    "runtime/records.py": set(),
    "config/celeba.py": {"prepare celeba"},
    "data/celeba.py": {"prepare celeba"},
    "data/folder.py": {"prepare folder", "prepare celeba_hq"},
    "data/lsun.py": {"prepare lsun"},
    "data/openmoji.py": {"prepare openmoji"},
    "data/openmoji_groups.py": {"prepare openmoji"},
    "data/tiles.py": {"prepare tiles"},
    "data/tile_filters.py": {"prepare tiles"},
    "data/strips.py": {"prepare tiles"},
    "data/groups.py": {f"prepare {kind}" for kind in kinds.DATASETS}
    | VQVAES
    | {"codes"}
    | COMPARED,
    "models/code_groups.py": COMPARED,
    "models/real_images.py": COMPARED,
    "data/sources.py": {f"prepare {kind}" for kind in kinds.DATASETS},
    "data/loaders.py": VQVAES | {"codes"} | OF_IMAGES,
    "config/pixel_critic.py": {"critic", "reject"} | WITH_CRITIC,
    "rl/critics/pixel.py": {"critic", "reject"} | WITH_CRITIC,
    "rl/critics/projected.py": set(),
    "rl/critics/frozen_maps.py": set(),
    "rl/critics/network.py": {"critic", "reject"} | WITH_CRITIC,
    "rl/critics/file.py": {"critic", "reject"},
    "models/discriminator.py": {"vqvae adversarial"},
    "models/position_norm.py": {"critic", "reject", "vqvae adversarial"} | WITH_CRITIC,
    "models/vqvae.py": VQVAES | {"codes", "critic", "reject"} | TUNED | FROM_CODES | SHOWN,
    "models/level_prior.py": SAMPLING | {"prior", "nll"},
    "models/pixelcnn.py": SAMPLING | {"prior", "nll"},
    "models/pixelcnn_sampler.py": SAMPLING,
    "models/recorded.py": SAMPLING,
    "sampling.py": SAMPLING,
    "rl/rejection.py": {"reject"},
    "metrics/inception.py": INCEPTION,
    "metrics/efficientnet.py": EFFICIENTNET | BY_DISTANCE | WITH_FRECHET | WITH_PERCEPTUAL,
    "metrics/mobilenet.py": MOBILENET,
    "metrics/vision_transformer.py": TRANSFORMER,
    "metrics/folding.py": EFFICIENTNET | MOBILENET | BY_DISTANCE | WITH_FRECHET | WITH_PERCEPTUAL,
    "metrics/resizing.py": EFFICIENTNET
    | MOBILENET
    | TRANSFORMER
    | BY_DISTANCE
    | WITH_FRECHET
    | WITH_PERCEPTUAL,
    "metrics/nearest.py": {"quality"},
    "metrics/memorisation.py": {"quality"},
    "metrics/extrapolation.py": {"distance"},
    "metrics/rank_correlation.py": set(),
    "metrics/influence.py": WITH_FRECHET,
    "rl/rewards/critic.py": {"critic"} | WITH_CRITIC,
    "train/averaging.py": {"prior", "critic"} | TUNED,
    "rl/advantages.py": REINFORCED,
    "rl/train_critic.py": {"critic"},
    "rl/rewards/source.py": REINFORCED,
    "rl/rewards/inputs.py": TUNED | {"critic"},
    "rl/rewards/python.py": set(),
    "rl/rewards/frechet.py": WITH_FRECHET,
    "rl/finetune.py": TUNED,
    "train/held_out.py": {"prior", "nll"} | TUNED,
    "rl/model_selection.py": TUNED,
    "rl/mle.py": TUNED - REINFORCED,
    "train/limits.py": TRAINING,
    "train/loop.py": TRAINING,
    "train/prior.py": {"prior"} | (TUNED - REINFORCED),
    "rl/reinforce.py": REINFORCED,
    "rl/rollouts.py": {"critic", "seconds"} | REINFORCED,
    "train/vqvae.py": VQVAES,
    "train/perceptual.py": {"vqvae perceptual"},
    "train/adversarial.py": {"vqvae adversarial"},
    "report/page.py": {"table_page"},
    "report/canvas.py": PLOTTED,
    "report/plots/curves.py": {"plot curves"},
    "report/plots/time.py": {"plot time"},
    "report/plots/samples.py": SHOWN,
    "report/image_rows.py": SHOWN,
    "report/tables/nll.py": {"table nll"},
    "report/tables/distance.py": {"table distance"},
    "report/distances.py": DISTANCES,
    "report/gains.py": DISTANCES,
    "report/distance_kind.py": DISTANCES - {"table reconstruction"},
    "report/distance_tables.py": {"table distance", "table reconstruction"},
    "report/qualities.py": {"table quality", "table replicated"},
    "report/logs.py": PLOTTED | SHOWN | MEASURED,
    "report/frame.py": MEASURED,
    "report/codebook_use.py": {"table reconstruction"},
    "report/accepted.py": TABLES,
    "report/plan.py": set(),
    "results/quality.py": {"quality", "table quality", "table replicated"},
    "results/seconds.py": {"seconds", "table seconds"},
    "results/nll.py": {"nll", "table nll"},
    "results/timing.py": {"sample", "reject", "quality"},
    "results/acceptance.py": TABLES,
    "stages/prepare.py": {f"prepare {kind}" for kind in kinds.DATASETS},
    "models/decoding.py": FROM_CODES | SHOWN,
}


@cache
def _behind(job: str) -> set[str]:
    """The modules that the fingerprint of a job covers."""
    stage, chosen = JOBS[job]
    return fingerprint.modules(f"rarl.stages.{stage}", *chosen)


@pytest.mark.parametrize("module", TOUCHES)
def test_a_module_of_this_package_touches_exactly_its_jobs(module):
    name = ".".join(["rarl", *Path(module).with_suffix("").parts]).removesuffix(".__init__")
    assert fingerprint._path(name)
    assert {job for job in JOBS if name in _behind(job)} == TOUCHES[module]


def test_nothing_in_train_touches_data_codes_or_references():
    kept = {job for job in JOBS if job.split()[0] in ("prepare", "codes")} | FROM_CODES | OF_IMAGES
    for job in kept:
        assert not {name for name in _behind(job) if name.startswith("rarl.train")}, job


def test_report_code_touches_tables_and_figures_alone():
    shown = TABLES | PLOTTED | SHOWN | {"table_page"}
    for job in JOBS.keys() - shown:
        assert not {name for name in _behind(job) if name.startswith("rarl.report")}, job


def test_a_new_kind_re_runs_nothing(monkeypatch):
    before = fingerprint.compute(*JOBS["prepare folder"])
    monkeypatch.setitem(kinds.DATASETS, "added", "rarl.data.added")
    assert fingerprint.compute(*JOBS["prepare folder"]) == before
    assert not [job for job in JOBS if "rarl.kinds" in _behind(job)]
    shown = {job: fingerprint.compute(*JOBS[job]) for job in TABLES | PLOTTED | SHOWN}
    monkeypatch.setitem(kinds.TABLES, "added", "rarl.report.tables.added")
    monkeypatch.setitem(kinds.PLOTS, "added", "rarl.report.plots.added")
    assert {job: fingerprint.compute(*JOBS[job]) for job in shown} == shown


def test_tables_import_nothing_that_decodes():
    for job in TABLES:
        assert not {name for name in _behind(job) if name.startswith(("rarl.models", "rarl.image"))}


def test_stages_are_given_no_methods():
    """Code of settings is in no fingerprint: they may only be read and planned by it."""
    planning = {"from_config", "of", "of_oracle", "of_reward", "rows", "to_json"}
    planning |= {"headings", "experiments", "methods", "paper_values"}  # of tables and plots
    planning |= {"batch", "check_map", "extractors", "reference", "rewarded"}  # of rewards
    planning |= {"source", "source_sha256"}
    known = {"from_json", "kinds", "check"} | planning
    modules = [
        import_module(found.name) for found in iter_modules(stages.__path__, "rarl.config.stages.")
    ]
    given = set().union(
        *(
            _models(of)
            for module in modules
            for of in vars(module).values()
            if hasattr(of, "model_fields") and of.__module__ == module.__name__
        )
    )
    assert Limit in given
    for model in given:
        bases = [base for base in model.__mro__ if base.__module__.startswith("rarl.")]
        own = {name: value for base in bases for name, value in vars(base).items()}
        code = {name for name, of in own.items() if callable(of) or isinstance(of, CODE)}
        assert {name for name in code if name[0] != "_"} <= known, model


PLANNING = {"rarl.report.inputs", "rarl.report.measured_kind"}  # what a table or plot reads


def test_stages_import_no_functions_of_the_configuration():
    names = set()
    for module in set().union(*map(_behind, JOBS)) - PLANNING:
        for node in ast.walk(fingerprint._tree(module)):
            if isinstance(node, ast.ImportFrom) and node.module == "rarl.config":
                names |= {alias.name for alias in node.names}
    assert "Limit" in names
    for name in names:
        value = getattr(config, name)
        assert isinstance(value, type) or get_origin(value) is not None, name


CODE = (property, classmethod, staticmethod)


def _models(annotation: object) -> set[type[BaseModel]]:
    """The settings of stages that an annotation names, and those within them."""
    found: set[type[BaseModel]] = set()
    for inner in get_args(annotation):
        found |= _models(inner)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found.add(annotation)
        for field in annotation.model_fields.values():
            found |= _models(field.annotation)
    return found
