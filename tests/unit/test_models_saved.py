"""Artefacts: what is loaded is what was saved, and rubbish is refused in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from helpers.small_settings import critic_settings
from rarl.config import Vqvae
from rarl.models.code_groups import hold_out_of_file, load_train_ranks
from rarl.models.codes import CodeSet, load_codes, load_draw, save_codes, save_draw
from rarl.models.prior import CodePrior
from rarl.models.prior_file import load_prior, save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae, save_vqvae
from rarl.rl.critics.file import load_critic, save_critic
from rarl.rl.critics.pixel import PixelCritic
from rarl.runtime import artefact
from rarl.runtime.errors import UserError

CPU = torch.device("cpu")
MakeCodePrior = Callable[..., CodePrior]


def test_a_prior_returns_with_equal_logits(tmp_path: Path, make_code_prior: MakeCodePrior):
    prior, path = make_code_prior(2, 4), tmp_path / "prior.safetensors"
    save_prior(path, prior, {"note": "x"})
    codes = torch.randint(7, (2, 2, 2)), torch.randint(7, (2, 4, 4))
    for mine, theirs in zip(load_prior(path, device=CPU)(codes), prior(codes), strict=True):
        assert torch.equal(mine, theirs)
    assert artefact.load(path).metadata["note"] == "x"


def test_levels_of_several_files_make_one_prior(tmp_path: Path, make_code_prior: MakeCodePrior):
    prior = make_code_prior(2, 4)
    paths = [tmp_path / "top.safetensors", tmp_path / "bottom.safetensors"]
    for path, (level, part) in zip(paths, prior.levels.items(), strict=True):
        save_prior(path, CodePrior({level: part}), {})
    codes = torch.randint(7, (2, 2, 2)), torch.randint(7, (2, 4, 4))
    again = load_prior(*reversed(paths), device=CPU)
    for mine, theirs in zip(again(codes), prior(codes), strict=True):
        assert torch.equal(mine, theirs)


def test_files_from_before_kinds_are_read(tmp_path: Path, make_code_prior: MakeCodePrior):
    """Neither said what it was: a PixelCNN, and a critic on pixels."""
    prior, path = make_code_prior(4), tmp_path / "prior.safetensors"
    critic, critic_path = PixelCritic(critic_settings(), 3, 16, 16), tmp_path / "critic.safetensors"
    save_prior(path, prior, {})
    save_critic(critic_path, critic, {})
    old = artefact.load(path)
    del old.metadata["priors"]["0"]["settings"]["kind"]
    artefact.save(path, old.tensors, old.metadata)
    old = artefact.load(critic_path)
    del old.metadata["critic"]["network"], old.metadata["critic"]["kind"]
    artefact.save(critic_path, old.tensors, old.metadata)
    assert load_prior(path, device=CPU).levels[0].settings == prior.levels[0].settings
    assert load_critic(critic_path, CPU).settings == critic.settings


def test_a_vqvae_returns_frozen_with_equal_images(tmp_path: Path, vqvae_settings: Vqvae):
    model, path = VQVAE(vqvae_settings, 2), tmp_path / "vqvae.safetensors"
    model.train()(torch.rand(4, 3, 16, 16))
    save_vqvae(path, model, {})
    again = load_vqvae(path, CPU)
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(again(images).images, model.eval()(images).images)
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_critic_returns_with_equal_scores(tmp_path: Path):
    settings = critic_settings(stem_stride=1, final_size=2, map_size=4)
    critic, path = PixelCritic(settings, 7, 4, 8), tmp_path / "critic.safetensors"
    save_critic(path, critic.eval(), {})
    images = torch.rand(2, 7, 4, 8)
    for mine, theirs in zip(load_critic(path, CPU)(images), critic(images), strict=True):
        assert torch.equal(mine, theirs)


def test_a_draw_returns_with_its_place(tmp_path: Path):
    codes = CodeSet((torch.randint(7, (3, 2, 2)),), 7)
    save_draw(tmp_path / "draw.safetensors", codes, 11, 40, {})
    again = load_draw(tmp_path / "draw.safetensors")
    assert (again.seed, again.first, again.content.codebook_size) == (11, 40, 7)
    assert torch.equal(again.content.grids[0].long(), codes.grids[0])


def test_code_sets_return_grid_by_grid(tmp_path: Path):
    path = tmp_path / "codes.safetensors"
    sets = {
        "train": CodeSet((torch.randint(300, (5, 2, 2)), torch.randint(300, (5, 4, 4))), 300),
        "train_mirrored": CodeSet((torch.zeros(5, 2, 2), torch.ones(5, 4, 4)), 300),
    }
    save_codes(path, sets, {})
    again = load_codes(path)
    assert list(again) == ["train", "train_mirrored"]
    assert again["train"].codebook_size == 300
    indices = torch.tensor([4, 0])
    for mine, theirs in zip(again["train"].take(indices, CPU), sets["train"].grids, strict=True):
        assert mine.dtype == torch.long
        assert torch.equal(mine, theirs[indices])
    both = again["train"] + again["train_mirrored"]
    assert len(both) == 10
    assert torch.equal(both.grids[1][5:], torch.ones(5, 4, 4, dtype=torch.int16))


def test_ranks_return_beside_the_codes_and_hold_groups_out(tmp_path: Path):
    path = tmp_path / "codes.safetensors"
    sets = {name: CodeSet((torch.arange(6).view(6, 1, 1),), 9) for name in ("train", "val")}
    ranks = torch.tensor([2, 0, 1, 2, 1, 2])
    save_codes(path, sets, {}, ranks)
    assert list(load_codes(path)) == ["train", "val"]
    assert torch.equal(load_train_ranks(path), ranks)
    parts = hold_out_of_file(path, 3)
    assert parts.held_out.grids[0].flatten().tolist() == [0, 3, 5]
    assert parts.kept.grids[0].flatten().tolist() == [1, 2, 4]
    save_codes(path, sets, {})
    with pytest.raises(UserError, match="holds no groups of images"):
        load_train_ranks(path)
    save_codes(path, sets, {}, torch.zeros(6, dtype=torch.long))
    with pytest.raises(UserError, match="all images are in one group"):
        hold_out_of_file(path, 3)


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\x80\x04\x95pickle"])
def test_rubbish_is_one_line(tmp_path: Path, content: bytes):
    path = tmp_path / "prior.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_prior(path, device=CPU)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])  # of the file: its header, then its weights
def test_a_file_that_has_changed_by_a_bit_is_refused(
    tmp_path: Path, make_code_prior: MakeCodePrior, at: float
):
    path = tmp_path / "prior.safetensors"
    save_prior(path, make_code_prior(4), {"note": "x" * 2000})
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"prior\.safetensors: .*; delete it and run again"):
        load_prior(path, device=CPU)


def test_another_stages_file_is_refused(tmp_path: Path, vqvae_settings: Vqvae):
    path = tmp_path / "vqvae.safetensors"
    save_vqvae(path, VQVAE(vqvae_settings, 1), {})
    with pytest.raises(UserError, match="holds no 'priors'"):
        load_prior(path, device=CPU)


def test_weights_of_another_shape_are_refused(tmp_path: Path, make_code_prior: MakeCodePrior):
    path = tmp_path / "prior.safetensors"
    prior = make_code_prior(4)
    prior.levels[0].side = 5
    save_prior(path, prior, {})
    with pytest.raises(UserError, match="weights do not fit"):
        load_prior(path, device=CPU)


def test_equal_content_gives_equal_bytes(tmp_path: Path):
    """Safetensors writes the keys of its metadata in an order of its own, another each time."""
    contents = set()
    for _ in range(8):
        metadata = {name: {"b": 1, "a": [2]} for name in "stuvwxyz"}
        artefact.save(tmp_path / "x", {"b": torch.ones(2), "a": torch.zeros(3)}, metadata)
        contents.add((tmp_path / "x").read_bytes())
    assert len(contents) == 1


OLD = {"note": '"x"', "sizes": "[4, 8]"}  # a key of the file's metadata for each value


def test_a_file_of_the_format_before_is_read(tmp_path: Path):
    """Its digest was made by the code that wrote it then."""
    tensors = {"a": torch.arange(4.0), "b": torch.tensor([[1, 2]])}
    digest = "2d50c8b9942f53a571bc759c11ca52c6c96f4d8c29b1ea8e9feb61782be962af"
    save_file(tensors, tmp_path / "x", metadata={**OLD, "sha256": digest})
    found = artefact.load(tmp_path / "x")
    assert found.metadata == {"note": "x", "sizes": [4, 8]}
    assert torch.equal(found.tensors["a"], tensors["a"])
    save_file(tensors, tmp_path / "x", metadata={**OLD, "note": '"y"', "sha256": digest})
    with pytest.raises(UserError, match=r"not what rarl wrote.*; delete it and run again"):
        artefact.load(tmp_path / "x")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "x.safetensors"
    artefact.save(path, {"a": torch.ones(2)}, {})
    with pytest.raises(TypeError):
        artefact.save(path, {"a": torch.zeros(2)}, {"bad": object()})
    assert torch.equal(artefact.load(path).tensors["a"], torch.ones(2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.safetensors"]
