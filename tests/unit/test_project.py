"""The project's own files: what is installed, and what a fresh clone holds."""

import re
import tomllib

import pytest
import yaml

from helpers.paths import ROOT

CONDA = {"torch": "pytorch"}  # names that differ from those on PyPI
ORDERED = ("torch", "torchvision", "snakemake", "pandas", "numpy", "scipy", "matplotlib", "pytest")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def bounds(requirements: list[str]) -> dict[str, set[str]]:
    """The bounds of each package, of all lines that name it."""
    found: dict[str, set[str]] = {}
    for line in requirements:
        name, rest = re.fullmatch(r"([A-Za-z0-9_-]+)(.*)", line).groups()
        found.setdefault(name, set()).update(part for part in rest.split(",") if part)
    return found


def test_conda_and_pip_install_the_same_packages():
    pip = bounds([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
    listed = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    conda = bounds(listed)
    assert conda.pop("python") == {PROJECT["requires-python"]}
    assert conda.pop("pip") == set()
    assert set(conda) == {CONDA.get(name, name) for name in ORDERED}
    for name in ORDERED:
        assert conda[CONDA.get(name, name)] == pip[name], name
    assert ENVIRONMENT["dependencies"][-1] == {"pip": ["-e .[test]"]}
    assert ENVIRONMENT["channels"] == ["conda-forge", "bioconda"]


@pytest.mark.parametrize(
    "package", [name for name in ORDERED if name not in ("snakemake", "pytest")]
)
def test_the_package_uses_what_it_declares(package: str):
    sources = "\n".join(path.read_text() for path in (ROOT / "rarl").rglob("*.py"))
    assert re.search(rf"^ *(import|from) {package}\b", sources, re.MULTILINE)
