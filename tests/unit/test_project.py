"""The project's own files: what is installed, and what a fresh clone holds."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import write_documents
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


def test_constraints_hold_one_public_version_of_every_package_that_is_asked_for():
    """Plain pip can install them: no version has a local label such as +cpu."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if line[0] != "#")
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pins.values())
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    assert not {name.lower().replace("_", "-") for name in bounds(asked)} - set(pins)


def tracked() -> list[Path]:
    """Text files under git; of a checkout without git, those of the usual folders."""
    done = subprocess.run(
        ["git", "-C", ROOT, "ls-files"], check=False, stdout=subprocess.PIPE, text=True
    )
    names = done.stdout.splitlines() if done.returncode == 0 else []
    return [path for name in names if (path := ROOT / name).suffix not in BINARY and path.is_file()]


BINARY = (".png", ".jpg", ".safetensors", ".npz")
MACHINE = re.compile(r"(?<![\w.~/-])/(home|root|Users|work|mnt|opt|srv)/\w")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_no_file_holds_a_path_of_a_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not found
    assert MACHINE.search("cd /" + "home/me") and not MACHINE.search("https://example.org/home/x")


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", write_documents.documents(), ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [of for of in links if "://" not in of and not (page.parent / of).exists()]
    assert not missing


def test_targets_that_the_readme_names_exist():
    pages = "".join(path.read_text(encoding="utf-8") for path in write_documents.documents())
    named = set(re.findall(r"`make ([a-z0-9-]+)`", pages))
    rules = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named and named <= rules
