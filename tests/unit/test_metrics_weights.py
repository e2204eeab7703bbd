"""Files of weights: nothing is unpickled before the hash is right, and then only tensors."""

import hashlib
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractors import load_extractor
from rarl.metrics.weights import read_safetensors, read_state
from rarl.runtime.errors import UserError

PUBLISHED = {
    "inception": "6726825d",
    "efficientnet_lite0": "57934424",
    "efficientnet_lite1": "77cc7160",
    "efficientnet_lite2": "9656183e",
    "mobilenet_v2": "2f518e77",
}


class Payload:
    """Its unpickling leaves a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return (Path.touch, (self.proof,))


@pytest.fixture
def proof(tmp_path) -> Path:
    return tmp_path / "executed"


@pytest.fixture
def evil(tmp_path, proof) -> Path:
    path = tmp_path / "evil.pth"
    torch.save({"conv.weight": Payload(proof)}, path)
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_payload_works(evil, proof):
    torch.load(evil, weights_only=False)
    assert proof.exists()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_wrong_hash_is_refused_before_loading(name, evil, proof):
    settings = ExtractorSettings(name=name, weights=str(evil))
    with pytest.raises(UserError, match=f"is {digest(evil)}, expected {PUBLISHED[name]}") as caught:
        load_extractor(settings, torch.device("cpu"))
    assert str(evil) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not proof.exists()


def test_a_right_hash_still_executes_nothing(evil, proof):
    with pytest.raises(pickle.UnpicklingError):
        read_state(evil, digest(evil))
    assert not proof.exists()


def test_tensors_come_back(tmp_path):
    path = tmp_path / "fine.pth"
    torch.save({"a": torch.arange(3)}, path)
    assert torch.equal(read_state(path, digest(path))["a"], torch.arange(3))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_missing_file_is_told_in_one_line(name, tmp_path):
    missing = tmp_path / "none.pth"
    settings = ExtractorSettings(name=name, weights=str(missing))
    with pytest.raises(UserError, match=r"none\.pth: .*evaluation\.weights") as caught:
        load_extractor(settings, torch.device("cpu"))
    assert "\n" not in str(caught.value)


def test_a_safetensors_file_comes_back_with_its_hash(tmp_path):
    path = tmp_path / "fine.safetensors"
    safetensors.torch.save_file({"a": torch.arange(3)}, path)
    state, found = read_safetensors(path)
    assert torch.equal(state["a"], torch.arange(3))
    assert found == digest(path)


def test_a_pickle_is_no_safetensors_file(evil, proof):
    with pytest.raises(UserError, match=r"evil\.pth: .*not a safetensors file") as caught:
        read_safetensors(evil)
    assert "\n" not in str(caught.value)
    assert not proof.exists()
