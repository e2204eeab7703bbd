"""Oracle: the array that was written, indexed by numpy."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from rarl.data.manifest import Manifest, Unreadable, hash_of
from rarl.data.shards import ShardWriter, open_split, remove_shards
from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json, write_json

SIZE, PER_SHARD = 4, 5
GROUPS = ("a", "b", "c", "d")
IMAGES = {
    "train": np.random.default_rng(0).integers(0, 256, (12, SIZE, SIZE, 3), dtype=np.uint8),
    "val": np.random.default_rng(1).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8),
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    splits = {}
    for split, images in IMAGES.items():
        shard_bytes = PER_SHARD * 3 * SIZE**2 + 1
        writer = ShardWriter(tmp_path, split, SIZE, shard_bytes)
        for n, image in enumerate(images):
            writer.add(image, GROUPS[n % len(GROUPS)])
        splits[split] = writer.close()
    content = Manifest(
        format=2,
        image_size=SIZE,
        source="test",
        dataset={},
        resize="lanczos",
        tools={},
        splits=splits,
        counts={},
        unreadable=Unreadable(count=0, images=()),
        hash=hash_of(splits),
    )
    write_json(tmp_path / "manifest.json", content.model_dump(mode="json"))
    return tmp_path / "manifest.json"


def test_shards_on_disk_are_plain_numpy(manifest: Path) -> None:
    listed = read_json(manifest)["splits"]["train"]["shards"]
    assert [shard["count"] for shard in listed] == [5, 5, 2]
    files = [manifest.parent / shard["file"] for shard in listed]
    stacked = np.concatenate([np.load(file, allow_pickle=False) for file in files])
    np.testing.assert_array_equal(stacked, IMAGES["train"])
    for file, shard in zip(files, listed, strict=True):
        content = file.read_bytes()
        assert (shard["bytes"], shard["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
    assert (
        len(list((manifest.parent / "shards").iterdir())) == 6
    )  # with ranks; nothing temporary stays


@pytest.mark.parametrize("indices", [[0], [11, 0, 5, 4, 4, 10], [], list(range(12))])
def test_take(manifest: Path, indices: list[int]) -> None:
    images = open_split(manifest, "train")
    assert (len(images), images.image_size) == (12, SIZE)
    expected = IMAGES["train"][np.array(indices, int)]
    for asked in (indices, np.array(indices, np.int32)):
        got = images.take(asked)
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("index", [-1, 12])
def test_take_outside(manifest: Path, index: int) -> None:
    with pytest.raises(IndexError):
        open_split(manifest, "train").take([0, index])


def by_hash(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()


def test_groups_are_ranked_by_hash(manifest: Path) -> None:
    """From 0 in each split, whatever the order of the images."""
    order = sorted(GROUPS, key=by_hash)
    for split, images in IMAGES.items():
        expected = [order.index(GROUPS[n % 4]) for n in range(len(images))]
        assert open_split(manifest, split).ranks.tolist() == expected
        assert read_json(manifest)["splits"][split]["groups"] == 4


def test_ranks_that_have_changed(manifest: Path) -> None:
    ranks = manifest.parent / "shards" / "val-ranks.npy"
    content = bytearray(ranks.read_bytes())
    content[-1] ^= 1
    ranks.write_bytes(content)
    with pytest.raises(UserError, match=r"val-ranks\.npy: its content has changed; prepare"):
        open_split(manifest, "val")


def test_val_is_another_split(manifest: Path) -> None:
    np.testing.assert_array_equal(open_split(manifest, "val").take(range(5)), IMAGES["val"])


def test_taken_images_are_not_the_file(manifest: Path) -> None:
    images = open_split(manifest, "train")
    images.take([3])[:] = 0
    np.testing.assert_array_equal(images.take([3]), IMAGES["train"][3:4])


def test_pickles_by_name(manifest: Path) -> None:
    sent = pickle.dumps(open_split(manifest, "train"))
    assert len(sent) < 500  # the images have 576 bytes
    np.testing.assert_array_equal(pickle.loads(sent).take([7]), IMAGES["train"][7:8])


def test_missing_and_short_shards(manifest: Path) -> None:
    shard = manifest.parent / "shards" / "train-00001.npy"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    with pytest.raises(UserError, match=r"train-00001\.npy: has 367 bytes, .* says 368; prepare"):
        open_split(manifest, "train")
    open_split(manifest, "val")
    shard.unlink()
    with pytest.raises(UserError, match=r"train-00001\.npy: has 0 bytes"):
        open_split(manifest, "train")


def test_a_shard_that_has_changed_by_a_bit(manifest: Path) -> None:
    shard = manifest.parent / "shards" / "val-00000.npy"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"val-00000\.npy: its content has changed; prepare"):
        open_split(manifest, "val")


def test_a_manifest_of_another_size(manifest: Path) -> None:
    write_json(manifest, read_json(manifest) | {"image_size": 2 * SIZE})
    with pytest.raises(UserError, match=r"holds uint8 .* but .* says uint8"):
        open_split(manifest, "val")


@pytest.mark.parametrize(
    ("key", "value"), [("format", 1), ("image_size", 0), ("splits", {}), ("surprise", 1)]
)
def test_manifest_of_another_form(manifest: Path, key: str, value: object) -> None:
    write_json(manifest, read_json(manifest) | {key: value})
    with pytest.raises(UserError, match=rf"cannot be read as a manifest \({key}.*prepare"):
        open_split(manifest, "train")


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        open_split(tmp_path / "manifest.json", "train")
    (tmp_path / "manifest.json").write_text('{"format"')
    with pytest.raises(UserError, match="cannot be read as a manifest"):
        open_split(tmp_path / "manifest.json", "train")


def test_hash_follows_the_pixels(manifest: Path) -> None:
    splits = Manifest.from_json(manifest.read_text()).splits
    shard = splits["val"].shards[0]
    other = splits["val"].model_copy(update={"shards": (shard.model_copy(update={"sha256": "0"}),)})
    assert hash_of(splits) == read_json(manifest)["hash"]
    assert hash_of(splits | {"val": other}) != hash_of(splits)


def test_remove_shards_spares_the_users_files(manifest: Path) -> None:
    folder = manifest.parent / "shards"
    (folder / ".train-00003.npy.42.tmp").touch()
    (folder / "mine.npy").touch()
    remove_shards(manifest.parent)
    assert [path.name for path in folder.iterdir()] == ["mine.npy"]


def test_no_image_no_entry(tmp_path: Path) -> None:
    assert ShardWriter(tmp_path, "val", SIZE).close() is None


def test_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "shards").write_text("a file where the folder should be")
    writer = ShardWriter(tmp_path, "val", SIZE)
    writer.add(IMAGES["val"][0], "a")
    with pytest.raises(UserError, match=r"val-00000\.npy: cannot be written"):
        writer.close()
