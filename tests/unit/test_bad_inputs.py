"""What a user can get wrong, through the command line: one line that names it, and no file left.

Each case is a name, what is done to a folder that was in order, the stage that then runs, and what
its one line says.
"""

import io
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import lmdb
import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from helpers import paths, squares
from rarl import cli
from rarl.config import parse
from rarl.config.stages.data import CodesSettings, PrepareSettings
from rarl.config.stages.evaluate import DistanceSettings, SampleSettings
from rarl.config.stages.features import ReferenceSettings
from rarl.config.stages.train import PriorSettings, VqvaeSettings
from rarl.models.codes import CodeSet, save_codes
from rarl.runtime import artefact

TINY = yaml.safe_load(paths.TINY.read_text())
CELEBA = {
    **{"kind": "celeba", "path": "celeba", "crop": "center", "max_images": None},
    **{"split": "official", "val_fraction": None},
}
LSUN = {"kind": "lsun", "path": "lsun", "category": "barn", "crop": "center", "max_images": None}
Break = Callable[[Path], object]
CONFIG = parse(TINY | {"datasets": TINY["datasets"] | {"celeba": CELEBA, "lsun": LSUN}})


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where every stage below would run."""
    folder = tmp_path_factory.mktemp("in-order")
    squares.make(folder / "images", 24)
    faces = folder / "celeba" / "img_align_celeba"
    faces.mkdir(parents=True)
    for n in range(1, 5):
        Image.new("RGB", (178, 218), (n, n, n)).save(faces / f"{n:06}.jpg")
    partition = "".join(f"{n:06}.jpg {int(n > 2)}\n" for n in range(1, 5))
    (folder / PARTITION).write_text(partition)
    for split in ("train", "val"):
        lsun(folder / "lsun" / f"barn_{split}_lmdb", {b"a": jpeg(20, 20), b"b": jpeg(30, 20)})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in ("prepare", "vqvae", "codes", "prior"):
            name, files = FILES[stage]
            files = files.replace("out/", "")  # beside what the next one reads
            assert cli.main(["stage", name, "--settings", settings_of(stage), *files.split()]) == 0
    return folder


def jpeg(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(buffer, "JPEG")
    return buffer.getvalue()


def lsun(path: Path, entries: dict[bytes, bytes]) -> None:
    path.mkdir(parents=True)
    with lmdb.open(str(path), map_size=2**24) as database, database.begin(write=True) as writing:
        for key, value in entries.items():
            writing.put(key, value)


def write(name: str, content: bytes) -> Break:
    return lambda folder: (folder / name).write_bytes(content)


def remove(name: str) -> Break:
    def done(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return done


def cut(name: str, share: float = 0.5) -> Break:
    def done(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return done


def flip(name: str) -> Break:
    """A bit in the middle."""

    def done(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return done


def in_manifest(**changes: object) -> Break:
    def done(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return done


def bomb(folder: Path) -> None:
    """A PNG of a few bytes that says it is 60,000 x 60,000."""
    buffer = io.BytesIO()
    Image.new("1", (60000, 1)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[20:24] = (60000).to_bytes(4)
    (folder / "images" / "00.png").write_bytes(content)


def of_numpy(path: str) -> Break:
    return lambda folder: np.savez(folder / path, mu=np.array([object()], dtype=object))


def as_safetensors(name: str) -> Break:
    """Tensors that are none of ours."""
    return lambda folder: save_file({"x": torch.zeros(3)}, folder / name)


def other_codes(folder: Path) -> None:
    """Of another grid and another codebook than the prior's."""
    sets = {
        name: CodeSet((torch.zeros(4, 8, 8, dtype=torch.int16),), 99) for name in ("train", "val")
    }
    save_codes(folder / "codes", sets, {})


def other_shapes(folder: Path) -> None:
    """A prior whose settings and weights do not belong together."""
    held = artefact.load(folder / "prior")
    name = next(iter(held.tensors))
    artefact.save(
        folder / "prior", held.tensors | {name: held.tensors[name][..., :1]}, held.metadata
    )


def blocked(folder: Path) -> None:
    """Where the output should go there is a file."""
    (folder / "out").write_text("")


def settings_of(stage: str) -> str:
    made = {
        "prepare": lambda: PrepareSettings.from_config(CONFIG, "squares", 16),
        "celeba": lambda: PrepareSettings.from_config(CONFIG, "celeba", 16),
        "lsun": lambda: PrepareSettings.from_config(CONFIG, "lsun", 16),
        "vqvae": lambda: VqvaeSettings.from_config(CONFIG, "squares16"),
        "codes": lambda: CodesSettings.from_config(CONFIG, "squares16"),
        "prior": lambda: PriorSettings.from_config(CONFIG, "squares16", "single"),
        "draw": lambda: SampleSettings.from_config(CONFIG, "squares16", "mle", 0, 0),
        "reference": lambda: ReferenceSettings.from_config(
            CONFIG, "squares16", "efficientnet_lite0"
        ),
        "distance": lambda: DistanceSettings.from_config(CONFIG, "squares16"),
    }
    return made[stage]().to_json()


FILES = {
    "prepare": ("prepare", "--manifest out/manifest.json"),
    "celeba": ("prepare", "--manifest out/manifest.json"),
    "lsun": ("prepare", "--manifest out/manifest.json"),
    "vqvae": ("vqvae", "--data manifest.json --output out/vqvae --metrics out/vqvae.jsonl"),
    "codes": ("codes", "--data manifest.json --vqvae vqvae --output out/codes"),
    "prior": ("prior", "--codes codes --output out/prior --metrics out/prior.jsonl"),
    "draw": ("sample", "--prior prior --output out/samples --timing out/samples.json"),
    "reference": ("reference", "--vqvae vqvae --codes codes --output out/reference.npz"),
    "distance": ("distance", "--reference reference.npz --samples codes --output out/d.json"),
}
PARTITION = "celeba/list_eval_partition.txt"

CASES: dict[str, tuple[Break, str, str]] = {
    "no images": (remove("images"), "prepare", "images"),
    "an empty file": (write("images/00.png", b""), "prepare", "00.png: is empty"),
    "text for an image": (write("images/00.png", b"text"), "prepare", "00.png"),
    "half an image": (cut("images/00.png"), "prepare", "00.png"),
    "a decompression bomb": (bomb, "prepare", "00.png"),
    "an image of no known kind": (write("images/00.png", bytes(200)), "prepare", "00.png"),
    "no partition": (remove(PARTITION), "celeba", PARTITION),
    "a partition of words": (write(PARTITION, b"000001.jpg train\n"), "celeba", PARTITION),
    "a partition of one column": (write(PARTITION, b"000001.jpg\n"), "celeba", PARTITION),
    "a partition of other images": (
        write(PARTITION, b"999999.jpg 0\n000001.jpg 1\n"),
        "celeba",
        "999999.jpg",
    ),
    "an empty partition": (write(PARTITION, b""), "celeba", "no train image"),
    "no faces": (remove("celeba/img_align_celeba"), "celeba", "img_align_celeba"),
    "no LMDB": (remove("lsun/barn_train_lmdb"), "lsun", "barn_train_lmdb"),
    "an LMDB without its data": (remove("lsun/barn_val_lmdb/data.mdb"), "lsun", "barn_val_lmdb"),
    "an LMDB of zeros": (
        write("lsun/barn_train_lmdb/data.mdb", bytes(8192)),
        "lsun",
        "barn_train_lmdb",
    ),
    "half an LMDB": (cut("lsun/barn_train_lmdb/data.mdb", 0.1), "lsun", "barn_train_lmdb"),
    "no manifest": (remove("manifest.json"), "vqvae", "manifest.json"),
    "half a manifest": (cut("manifest.json"), "vqvae", "manifest.json"),
    "a manifest of another kind": (write("manifest.json", b"[1, 2]"), "vqvae", "manifest.json"),
    "a manifest without splits": (in_manifest(splits={}), "vqvae", "manifest.json"),
    "a manifest of another size": (in_manifest(image_size=32), "vqvae", "manifest.json"),
    "a manifest in Latin 1": (write("manifest.json", b'"\xe9"'), "vqvae", "manifest.json"),
    "no shard": (remove("shards/train-00000.npy"), "vqvae", "train-00000.npy"),
    "half a shard": (cut("shards/train-00000.npy"), "vqvae", "train-00000.npy"),
    "a shard with a flipped bit": (flip("shards/train-00000.npy"), "codes", "train-00000.npy"),
    "no VQ-VAE": (remove("vqvae"), "codes", "vqvae"),
    "half a VQ-VAE": (cut("vqvae"), "codes", "vqvae"),
    "a VQ-VAE with a flipped bit": (flip("vqvae"), "codes", "vqvae"),
    "a pickle for a VQ-VAE": (write("vqvae", pickle.dumps({"x": 1})), "codes", "vqvae"),
    "other tensors for a VQ-VAE": (as_safetensors("vqvae"), "codes", "vqvae"),
    "a prior for a VQ-VAE": (
        lambda folder: shutil.copy(folder / "prior", folder / "vqvae"),
        "codes",
        "vqvae",
    ),
    "no codes": (remove("codes"), "prior", "codes"),
    "empty codes": (write("codes", b""), "prior", "codes"),
    "other tensors for codes": (as_safetensors("codes"), "prior", "codes"),
    "codes of another VQ-VAE": (other_codes, "reference", "codes"),
    "half a prior": (cut("prior", 0.9), "draw", "prior"),
    "a prior with a flipped bit": (flip("prior"), "draw", "prior"),
    "a prior of other shapes": (other_shapes, "draw", "prior"),
    "codes for a prior": (
        lambda folder: shutil.copy(folder / "codes", folder / "prior"),
        "draw",
        "prior",
    ),
    "a text for moments": (write("reference.npz", b"text"), "distance", "reference.npz"),
    "pickled moments": (of_numpy("reference.npz"), "distance", "reference.npz"),
    "no moments": (lambda folder: None, "distance", "reference.npz"),
    "a file in the output's place, data": (blocked, "prepare", "out"),
    "a file in the output's place, training": (blocked, "prior", "out"),
    "a file in the output's place, drawing": (blocked, "draw", "out"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    in_order: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: str,
):
    damage, stage, says = CASES[case]
    folder = tmp_path / "work"
    shutil.copytree(in_order, folder)
    monkeypatch.chdir(folder)
    damage(folder)
    before = {path.name for path in folder.iterdir()}
    name, files = FILES[stage]
    capsys.readouterr()
    assert cli.main(["stage", name, "--settings", settings_of(stage), *files.split()]) == 1
    lines = capsys.readouterr().err.splitlines()
    [told] = [line for line in lines if ": error: " in line]
    assert told == lines[-1]  # progress may come before, nothing after: above all no traceback
    assert told.startswith(f"rarl stage {name}: error: ")
    assert says in told
    assert {path.name for path in folder.iterdir()} - before <= {"out"}
    assert not [path for path in folder.glob("out/**/*") if path.is_file()]
