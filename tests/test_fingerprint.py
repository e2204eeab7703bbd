"""The fingerprint changes with what a stage computes, and with nothing else."""

import subprocess
import sys

import pytest

from rarl.runtime import fingerprint

SOURCES = {
    "__init__.py": "",
    "cli.py": "import rarl.stages.alpha",
    "config.py": "WIDTH = 1",
    "plan.py": "from rarl.config import WIDTH",
    "shared.py": "X = 1",
    "runtime/__init__.py": "",
    "runtime/progress.py": "def track(): ...",
    "models/__init__.py": "",
    "models/inner.py": "from rarl.shared import X\n",
    "models/other.py": "Y = 2",
    "stages/__init__.py": "",
    "stages/alpha.py": '''"""Alpha."""
from rarl.plan import WIDTH
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
    for cached in (fingerprint.of, fingerprint._tree, fingerprint._code):
        cached.cache_clear()


def test_follows_imports_and_leaves_out_what_only_reports(package):
    assert fingerprint.modules("rarl.stages.alpha") == {
        "rarl",
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
    ],
)
def test_changes_exactly_for_the_stages_that_use_it(package, name, old, new, changed):
    before = {stage: fingerprint.of(stage) for stage in ("alpha", "beta")}
    assert old in SOURCES[name]
    package(name, SOURCES[name].replace(old, new, 1))
    after = {stage: fingerprint.of(stage) for stage in ("alpha", "beta")}
    assert {stage for stage in before if before[stage] != after[stage]} == changed


def test_relative_import_is_refused_rather_than_missed(package):
    package("models/inner.py", "from . import other")
    with pytest.raises(ValueError, match=r"rarl\.models\.inner line 1: imports must be absolute"):
        fingerprint.of("alpha")


def test_reads_sources_without_importing_torch():
    code = (
        "import sys; from rarl.runtime import fingerprint; fingerprint.of('distance_table');"
        "assert not {'torch', 'numpy', 'rarl.stages.distance_table'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_stages_of_this_package_are_told_apart():
    assert fingerprint.of("distance_table") != fingerprint.of("curves")
    assert "rarl.report.distance_table" in fingerprint.modules("rarl.stages.distance_table")
    assert "rarl.report.table" not in fingerprint.modules("rarl.stages.curves")
