"""The scripts of examples/ on tiny settings, as a reader runs them."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from helpers import squares
from helpers.paths import ROOT, TINY
from rarl import model_folder
from rarl.config import Vqvae, load
from rarl.models.prior import CodePrior
from rarl.models.prior_file import save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import save_vqvae

OWN = ["images", "--image-size", "16", "--codes", "4", "--configfile", str(TINY), "--cores", "2"]


def run(folder: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / script, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def model(
    tmp_path: Path,
    vqvae_settings: Vqvae,
    make_code_prior: Callable[..., CodePrior],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with a model of two levels, of no training, and with an image."""
    torch.manual_seed(0)
    vqvae = VQVAE(vqvae_settings, 2).train()
    vqvae(torch.rand(8, 3, 16, 16) * 2 - 1)
    monkeypatch.chdir(tmp_path)
    config = load(TINY)
    for path, save, saved in zip(
        model_folder.files(config, "hierarchy16", "mle"),
        (save_vqvae, save_prior),
        (vqvae.eval(), make_code_prior(2, 4, codebook_size=16)),
        strict=True,
    ):
        save(path, saved, {})
    model_folder.export(config, "hierarchy16", "mle", tmp_path / "model", "mit")
    Image.effect_noise((40, 30), 50).save(tmp_path / "image.jpg")
    return tmp_path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_complete_an_image(model: Path):
    assert "3 completions" in run(model, "complete_image.py", "model", "image.jpg", "--count", "3")
    assert size_of(model / "completed.png") == (16 * 5, 16)


def test_read_the_codes(model: Path):
    printed = run(model, "read_codes.py", "model", "image.jpg")
    assert "top level, (2, 2)" in printed
    assert "bottom level, (4, 4)" in printed
    assert "nats a code" in printed
    assert size_of(model / "one-code.png") == (16 * 5, 16)


def test_own_folder(tmp_path: Path):
    squares.make(tmp_path / "images", 48)
    printed = run(tmp_path, "own_folder.py", *OWN)
    assert "# My images" in printed
    assert "| Single reward |" in printed
    assert size_of(tmp_path / "own-sample.png") == (16, 16)


def test_the_own_reward_is_a_score_of_images():
    path = ROOT / "examples" / "own_reward.py"
    spec = importlib.util.spec_from_file_location("own_reward", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    images = torch.zeros(3, 3, 4, 4, dtype=torch.uint8)
    images[1, 0], images[2, :, :2] = 255, torch.tensor([0, 51, 0], dtype=torch.uint8).view(3, 1, 1)
    assert module.colourfulness(images).tolist() == pytest.approx([0.0, 1.0, 0.1])
    method = module.configuration(Path("images"), 64, 8)["methods"]["colourful"]
    assert method["rl"]["reward"]["file"] == str(path)


def test_own_reward(tmp_path: Path):
    squares.make(tmp_path / "images", 48)
    assert "grey, red: [0.0, 1.0]" in run(tmp_path, "own_reward.py", *OWN)
    assert (tmp_path / "own-reward-samples" / "grid.png").is_file()
