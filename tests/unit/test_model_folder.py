"""What `rarl export` writes, models in the package, and the types of images that go in and out."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import rarl
from helpers.paths import TINY
from rarl import cli, image_types, model_folder
from rarl.config import Vqvae
from rarl.models.prior import CodePrior
from rarl.models.prior_file import save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import save_vqvae
from rarl.runtime.errors import UserError
from rarl.runtime.files import sha256
from rarl.runtime.folders import atomic_folder

FILES = {"README.md", "config.json", "prior.safetensors", "samples.png", "vqvae.safetensors"}
EXPORT = ["export", "squares16", "mle", "folder", "--configfile", str(TINY)]
DISTANCE = {
    "protocol": {
        **{"label": "FD-EffLite0", "extractor": "efficientnet_lite0", "resize": "bilinear"},
        **{"weights_sha256": "ab" * 32, "reference": "reconstructions", "count_reference": 32},
        "count_samples": 12,
    },
    "seeds": [0, 1],
    "distances": [30.0, 34.0],
    "extrapolated": None,
    "warning": "12 images for 1280 features",
    "provenance": {},
}
QUALITY = {
    **{"precision": [0.5, 0.75], "recall": [0.25, 0.5], "kid": [0.125, 0.375]},
    **{"memorisation": None, "seconds_per_image": 0.5, "device": "CPU", "provenance": {}},
}
LOG = [
    {"step": 2, "seconds": 1.0, "val_nll": 2.125, "distance": 9.0},
    {"step": 4, "seconds": 2.0, "val_nll": 2.5, "distance": 11.0, "selected_iteration": 2},
]


@pytest.fixture
def run(
    tmp_path: Path,
    vqvae_settings: Vqvae,
    make_code_prior: Callable[..., CodePrior],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with a trained model of 16x16 images where a run leaves it; the current folder."""
    torch.manual_seed(0)
    vqvae = VQVAE(vqvae_settings, 1).train()
    vqvae(torch.rand(8, 3, 16, 16) * 2 - 1)
    folder = tmp_path / "results" / "squares16"
    save_vqvae(folder / "vqvae.safetensors", vqvae.eval(), {})
    save_prior(folder / "mle" / "prior.safetensors", make_code_prior(4, codebook_size=16), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def front_matter(card: str) -> dict:
    _, head, _ = card.split("---\n", 2)
    return yaml.safe_load(head)


def test_a_folder_of_a_run_without_measurements(run: Path):
    assert cli.main([*EXPORT, "--license", "cc0-1.0"]) == 0
    assert {path.name for path in (run / "folder").iterdir()} == FILES
    config = json.loads((run / "folder" / "config.json").read_text())
    assert (config["image_size"], config["latents"], config["temperature"]) == (16, [4], 1.0)
    assert config["settings"]["dataset"]["kind"] == "folder"
    assert "path" not in config["settings"]["dataset"]  # of this machine
    for name, digest in config["sha256"].items():
        assert sha256(run / "folder" / name) == digest
    card = (run / "folder" / "README.md").read_text()
    head = front_matter(card)
    assert head["license"] == config["license"] == "cc0-1.0"
    assert head["library_name"] == "rarl"
    assert head["metrics"] == []
    assert "model-index" not in head  # a hub refuses one without results
    assert "Not measured." in card


def test_a_card_has_the_metrics_and_their_protocol(run: Path):
    of = run / "results" / "squares16" / "mle"
    (of / "distance-efficientnet_lite0.json").write_text(json.dumps(DISTANCE))
    (of / "quality.json").write_text(json.dumps(QUALITY))
    (of / "prior.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LOG))
    assert cli.main([*EXPORT, "--license", "mit"]) == 0
    card = (run / "folder" / "README.md").read_text()
    head = front_matter(card)
    [model] = head["model-index"]
    [result] = model["results"]
    assert {metric["name"]: metric["value"] for metric in result["metrics"]} == {
        "FD-EffLite0": 32.0,
        **{"precision": 0.625, "recall": 0.375, "KID": 0.25},
        "validation NLL, nats a code": 2.125,  # of the iteration that was selected
    }
    assert head["metrics"][:2] == ["FD-EffLite0", "precision"]
    for part in (
        "| FD-EffLite0 | 32.0 |",
        "FD-EffLite0: 32 ± 2.8284, over 2 sampling seeds. FD-EffLite0, 12 images against 32",
        "Warning: 12 images for 1280 features.",
        "those of iteration 2 of 4 of fine-tuning",
    ):
        assert part in card


def test_the_licence_of_an_unknown_data_set_is_asked_for(run: Path, capsys):
    assert cli.main(EXPORT) == 1
    error = capsys.readouterr().err
    assert "kind folder is not known; say it with --license" in error
    assert error.count("\n") == 1


def test_a_folder_that_holds_something_is_left_alone(run: Path, capsys):
    (run / "folder").mkdir()
    (run / "folder" / "mine").write_text("x")
    assert cli.main([*EXPORT, "--license", "mit"]) == 1
    assert "folder: is there already" in capsys.readouterr().err
    assert [path.name for path in (run / "folder").iterdir()] == ["mine"]


def test_a_folder_is_whole_or_absent(tmp_path: Path):
    def broken() -> None:
        with atomic_folder(tmp_path / "out") as temporary:
            (temporary / "a").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ['{"format": 2}', "text"])
def test_a_config_of_another_version_is_one_line(run: Path, damage: str):
    assert cli.main([*EXPORT, "--license", "mit"]) == 0
    (run / "folder" / "config.json").write_text(damage)
    with pytest.raises(UserError, match=r"config\.json: is not of this version of rarl") as found:
        rarl.load("folder")
    assert "\n" not in str(found.value)


def test_models_of_the_package_go_by_their_names(run: Path, monkeypatch, capsys):
    monkeypatch.setattr(model_folder, "PRETRAINED", run / "pretrained")
    for method in ("mle", "ral"):
        arguments = [*EXPORT[:3], f"pretrained/tiny-16/{method}", *EXPORT[4:]]
        assert cli.main([*arguments, "--license", "mit"]) == 0
    assert model_folder.find_pretrained("tiny-16") == run / "pretrained" / "tiny-16" / "ral"
    images = rarl.load("tiny-16/mle").sample(3, seed=1)
    for name in ("tiny-16", "tiny-16/mle"):
        assert torch.equal(rarl.load(name).sample(3, seed=1), images)
    arguments = ["--count", "3", "--seed", "1"]
    assert cli.main(["sample", "--pretrained", "tiny-16", "out", *arguments]) == 0
    with Image.open(run / "out" / "00002.png") as written:
        assert np.array_equal(np.asarray(written), images[2].permute(1, 2, 0))
    capsys.readouterr()
    assert cli.main(["sample", "--pretrained", "tiny-61", "other"]) == 1
    assert "the pretrained models are tiny-16/mle, tiny-16/ral" in capsys.readouterr().err
    assert cli.main(["sample", "--pretrained", "tiny-16", "squares16", "mle", "other"]) == 1
    assert "squares16 mle other: expected OUTPUT" in capsys.readouterr().err
    assert cli.main(["sample", "other"]) == 1
    assert "other: expected EXPERIMENT METHOD OUTPUT" in capsys.readouterr().err


def test_images_go_in_as_people_have_them():
    array = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    tensor = torch.from_numpy(array).permute(0, 3, 1, 2)
    given = [Image.fromarray(of) for of in array]
    for images in (array, tensor, given, tuple(given)):
        assert torch.equal(image_types.to_tensor(images, 8), tensor)
    for image in (array[0], given[0], given[0].convert("RGBA")):
        assert torch.equal(image_types.to_tensor(image, 8), tensor[:1])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (Image.new("RGB", (8, 4)), r"expected uint8 \(B, 3, 8, 8\)"),
        ([Image.new("RGB", (8, 8)), Image.new("RGB", (4, 4))], "several sizes"),
        ([], "there are no images"),
        (np.zeros((8, 8, 3), np.float32), "images are torch.float32"),
        (np.zeros((8, 8), np.uint8), "expected uint8"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: object, message: str):
    with pytest.raises(ValueError, match=message):
        image_types.to_tensor(images, 8)


def test_images_come_out_as_asked(run: Path):
    assert cli.main([*EXPORT, "--license", "mit"]) == 0
    model = rarl.load("folder")
    images = model.sample(2, seed=0)
    as_array = model.sample(2, seed=0, output_type="np")
    as_pil = model.sample(2, seed=0, output_type="pil")
    assert (as_array.shape, as_array.dtype) == ((2, 16, 16, 3), np.uint8)
    assert np.array_equal(as_array, images.permute(0, 2, 3, 1))
    assert [image.size for image in as_pil] == [(16, 16)] * 2
    assert np.array_equal(np.stack([np.asarray(image) for image in as_pil]), as_array)
    again = model.decode(model.encode(as_pil), output_type="np")
    assert np.array_equal(again, model.decode(model.encode(images)).permute(0, 2, 3, 1))
    completed = model.complete(as_pil, rows=8, seed=3, output_type="pil")
    assert isinstance(completed[0], Image.Image)
    with pytest.raises(ValueError, match="output_type='jpeg' is none of pil, np, pt"):
        model.sample(1, seed=0, output_type="jpeg")
