"""A trained model in a user's hands: folders, sampling, completing, likelihoods, the commands."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

import rarl
from helpers.paths import TINY
from rarl import cli, model_folder
from rarl.config import Vqvae, load
from rarl.generator import Generator
from rarl.losses import nll
from rarl.models.prior import CodePrior
from rarl.models.prior_file import save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import save_vqvae
from rarl.runtime.errors import UserError


@pytest.fixture
def files(
    tmp_path: Path, vqvae_settings: Vqvae, make_code_prior: Callable[..., CodePrior]
) -> tuple[Path, Path]:
    """A VQ-VAE of 32x32 images and a prior of its 4x4 and 8x8 codes, where a run leaves them."""
    torch.manual_seed(0)
    vqvae = VQVAE(vqvae_settings, 2).train()
    vqvae(torch.rand(8, 3, 32, 32) * 2 - 1)
    run = tmp_path / "results" / "hierarchy16"
    paths = run / "vqvae.safetensors", run / "mle" / "prior.safetensors"
    save_vqvae(paths[0], vqvae.eval(), {})
    save_prior(paths[1], make_code_prior(4, 8, codebook_size=16), {})
    return paths


@pytest.fixture
def folder(files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exported model."""
    monkeypatch.chdir(tmp_path)
    model_folder.export(load(TINY), "hierarchy16", "mle", tmp_path / "exported", "mit")
    return tmp_path / "exported"


@pytest.fixture
def model(folder: Path) -> Generator:
    return rarl.load(folder)


def test_an_image_is_its_seed_and_number(model: Generator):
    assert model.image_size == 32
    images = model.sample(5, seed=3)
    assert (images.shape, images.dtype) == ((5, 3, 32, 32), torch.uint8)
    assert torch.equal(model.sample(2, seed=3, first=3), images[3:])
    assert not torch.equal(model.sample(5, seed=4), images)


@pytest.mark.parametrize(("rows", "kept"), [(0, 0), (7, 0), (8, 1), (20, 2), (32, 4)])
def test_completing_keeps_the_codes_of_the_top_rows(model: Generator, rows: int, kept: int):
    images = model.sample(4, seed=0)
    codes = model.encode(images)
    completed: list = []
    decode = model.decode
    model.decode = lambda drawn, **how: completed.append(drawn) or decode(drawn, **how)
    assert model.complete(images, rows, seed=1).shape == images.shape
    for grid, (mine, theirs) in enumerate(zip(completed[0], codes, strict=True)):
        same = kept * 2**grid
        assert torch.equal(mine[:, :same], theirs[:, :same])
        if kept < 4:
            assert not torch.equal(mine[:, same:], theirs[:, same:])


def test_the_log_likelihood_is_minus_the_nll_of_all_codes(model: Generator):
    images = model.sample(3, seed=0)
    each = model.log_likelihood(images)
    assert each.shape == (3,)
    codes = model.encode(images)
    with torch.no_grad():
        mean = float(nll(model.prior(codes), codes))
    assert float(-each.mean()) == pytest.approx(mean * (16 + 64), rel=1e-5)


def test_wrong_images_and_rows_are_refused(model: Generator):
    with pytest.raises(ValueError, match=r"expected uint8 \(B, 3, 32, 32\)"):
        model.encode(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))
    with pytest.raises(ValueError, match="count=0 must be at least 1"):
        model.sample(0, seed=0)
    with pytest.raises(ValueError, match=r"temperature=0 must be above 0"):
        model.sample(1, seed=0, temperature=0)
    with pytest.raises(ValueError, match="rows=33 is outside an image of 32 rows"):
        model.complete(model.sample(1, seed=0), 33, seed=0)


def test_a_missing_folder_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match=r"config\.json: no such file; a model folder is what"):
        rarl.load(tmp_path)


def test_the_commands_write_images_and_a_folder(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    of, config = ("hierarchy16", "mle"), ("--configfile", str(TINY))
    assert cli.main(["sample", *of, "out", "--count", "40", "--seed", "7", *config]) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [*(f"{number:05}.png" for number in range(40)), "grid.png"]
    assert cli.main(["export", *of, "folder", "--license", "mit", *config]) == 0
    [image] = rarl.load("folder").sample(1, seed=7, first=39).permute(0, 2, 3, 1)
    with Image.open(tmp_path / "out" / "00039.png") as written:
        assert written.tobytes() == image.numpy().tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hierarchy61", "mle", "out"], "no experiment is named 'hierarchy61' (did you mean"),
        (["hierarchy16", "mel", "out"], "no fine-tuning method is named 'mel' (did you mean 'mle'"),
        (["hierarchy16", "rejection", "out"], "no fine-tuning method is named 'rejection'"),
        (["hierarchy16", "single", "out"], "prior.safetensors: no such file; run the workflow"),
        (["hierarchy16", "mle", "out", "--count", "0"], "--count 0: must be at least 1"),
        (["hierarchy16", "mle", "out", "--temperature", "0"], "--temperature 0.0: must be above 0"),
    ],
)
def test_a_wrong_command_is_one_line_and_writes_nothing(
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    arguments: list[str],
    message: str,
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sample", *arguments, "--configfile", str(TINY)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
