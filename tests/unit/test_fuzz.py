"""Whatever a reader is given, it reads it or says in one line what is wrong with it."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from helpers import paths
from rarl.config import ConfigError, load, parse
from rarl.data import manifest
from rarl.metrics import moments
from rarl.metrics.moments import Moments
from rarl.runtime import artefact
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.errors import UserError

TINY = yaml.safe_load(paths.TINY.read_text())
NUMBERS = st.integers() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same cases in every run
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def places(value: Any) -> list[list[str]]:
    """The path of every key, at any depth."""
    if not isinstance(value, dict):
        return []
    return [
        path
        for key, inner in value.items()
        for path in ([key], *([key, *p] for p in places(inner)))
    ]


@st.composite
def changed(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    """One key lost, renamed or given another value."""
    content = deepcopy(original)
    *above, key = draw(st.sampled_from(places(original)))
    at = content
    for name in above:
        at = at[name]
    match draw(st.sampled_from(["value", "lost", "renamed"])):
        case "value":
            at[key] = draw(JSON)
        case "lost":
            del at[key]
        case "renamed":
            at[draw(st.text(max_size=12))] = at.pop(key)
    return content


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut short, or with some bytes replaced."""
    assume(content)
    if draw(st.booleans()):
        return content[: draw(st.integers(0, len(content) - 1))]
    found = bytearray(content)
    for at in draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        found[at] = draw(st.integers(0, 255))
    return bytes(found)


def one_line(error: Exception) -> bool:
    return bool(str(error)) and "\n" not in str(error)


@quick
@given(changed(TINY))
def test_a_configuration_with_a_fault(content: dict[str, Any]):
    try:
        parse(content)
    except ConfigError as error:
        assert one_line(error)


@quick
@given(JSON)
def test_a_configuration_of_anything(content: Any):
    with pytest.raises(ConfigError) as caught:
        parse(content)
    assert one_line(caught.value)


@quick
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_configuration_file_of_anything(tmp_path: Path, content: bytes):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert one_line(caught.value)


SHARD = {"file": "shards/train-00000.npy", "count": 1, "bytes": 3, "sha256": "0"}
MANIFEST = {
    "format": 2,
    "image_size": 8,
    "source": "x",
    "dataset": {},
    "counts": {},
    "resize": "lanczos",
    "tools": {},
    "splits": {
        name: {"count": 1, "groups": 1, "shards": [SHARD], "ranks": SHARD}
        for name in ("train", "val")
    },
    "unreadable": {"count": 0, "images": []},
    "hash": "0",
}


def test_the_manifest_to_be_changed_is_whole(tmp_path: Path):
    (tmp_path / "m.json").write_text(json.dumps(MANIFEST))
    manifest.read(tmp_path / "m.json")


@quick
@given(changed(MANIFEST).map(lambda content: json.dumps(content).encode()) | st.binary())
def test_a_manifest_of_anything(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "m.json"
    path.write_bytes(content)
    try:
        manifest.read(path)
    except UserError as error:
        assert one_line(error)


def whole_moments(path: Path) -> None:
    made = Moments(3)
    made.update(torch.arange(12.0).view(4, 3))
    made.save(path, {"label": "x"})


def whole_artefact(path: Path) -> None:
    artefact.save(path, {"a": torch.arange(5), "b": torch.rand(2, 2)}, {"x": [1, "y"]})


@pytest.mark.parametrize(
    ("write", "read"), [(whole_moments, moments.load), (whole_artefact, artefact.load)]
)
def test_a_damaged_file(tmp_path: Path, write: Callable[[Path], None], read: Callable[[Path], Any]):
    path = tmp_path / "file"
    write(path)
    whole, content = repr(read(path)), path.read_bytes()

    @quick
    @given(damaged(content))
    def damage(damaged: bytes) -> None:
        path.write_bytes(damaged)
        try:
            found = repr(read(path))
        except UserError as error:
            assert one_line(error)
        else:  # a byte that means nothing
            assert found == whole

    damage()


def test_a_damaged_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = Checkpoints(tmp_path / "out", {"stage": "x"})
    kept.save(3, {"weights": torch.arange(4.0), "done": 3})
    [path] = kept.folder.iterdir()
    content = path.read_bytes()

    @quick
    @given(damaged(content))
    def damage(damaged: bytes) -> None:
        assume(damaged != content)
        path.write_bytes(damaged)
        assert kept.load() is None
        assert capsys.readouterr().err.endswith("the checkpoint is damaged; not used\n")

    damage()
