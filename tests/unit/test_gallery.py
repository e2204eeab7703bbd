"""The gallery: nearest images against brute force, the page against what it is given, a browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import squares
from helpers.paths import TINY
from rarl import cli
from rarl.config import Folder, Vqvae
from rarl.config.stages.data import PrepareSettings
from rarl.gallery import page
from rarl.gallery.content import Experiment, Gallery, MarkdownTable, Method, Neighbour, Sample
from rarl.gallery.nearest import TrainingImages, nearest
from rarl.models.codes import CodeSet, save_draw
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import save_vqvae
from rarl.stages import prepare

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ODD = "<b>&\"'"


def test_the_nearest_are_those_of_brute_force():
    generator = torch.Generator().manual_seed(0)
    queries, among = (torch.rand(n, 5, generator=generator) for n in (70, 33))
    distances, indices = nearest(queries, among, 4)
    for query, near, which in zip(queries.numpy(), distances, indices, strict=True):
        exact = np.sqrt(((among.numpy() - query) ** 2).sum(1))
        assert which.tolist() == np.argsort(exact)[:4].tolist()
        assert near.numpy() == pytest.approx(np.sort(exact)[:4], rel=1e-4)
    assert nearest(queries, among[:2], 4)[0].shape == (70, 2)


def test_near_is_a_quantile_of_the_held_out_images():
    held_out = torch.arange(101.0)
    images = TrainingImages(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2), 9, held_out)
    assert (images.near, images.median) == (5.0, 50.0)


def experiment(name: str, *distances: float, curves: Image.Image | None = None) -> Experiment:
    image = Image.new("RGB", (4, 4), "red")
    samples = tuple(
        Sample(image, (Neighbour(image, distance), Neighbour(image, 99.0)))
        for distance in distances
    )
    methods = (Method(ODD, "iteration 2 of 4", samples), Method("Other", "the start", samples[:1]))
    return Experiment(name, "squares", 0, methods, 20, 1000, 5.0, 8.0, curves)


def gallery() -> Gallery:
    return Gallery(
        "results",
        (experiment("one", 4.9, 5.0, 6.0), experiment("two", 7.0, curves=Image.new("L", (9, 9)))),
        (MarkdownTable("# Of two\n\n| a |\n|---|\n| <i> |\n", ("two",)),),
    )


def test_the_page_needs_nothing_else():
    text = page.html(gallery())
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in text
    assert "default-src 'none'" in text  # and the browser would refuse


def test_what_is_near_is_marked_and_counted():
    text = page.html(gallery())
    assert text.count('class="sample near"') == 2  # 4.9, of both methods; 5.0 is not below 5.0
    assert "iteration 2 of 4; 1 of 3 near a training image" in text
    assert "the start; 1 of 1 near a training image" in text
    assert "among 20 of 1,000 training images" in text
    assert text.count('class="curves"') == 1


def test_names_and_tables_are_text():
    text = page.html(gallery())
    assert ODD not in text
    assert "&lt;b&gt;&amp;&quot;&#x27;" in text
    assert "<td>&lt;i&gt;</td>" in text


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian's package chromium)")
@pytest.mark.parametrize(
    ("choice", "hidden"), [("", []), ("#one", ["two", "two"]), ("#two", ["one"]), ("#no", [])]
)
def test_a_browser_shows_what_is_chosen(tmp_path: Path, choice: str, hidden: list[str]):
    path = tmp_path / "gallery.html"
    path.write_text(page.html(gallery()))
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"{path.as_uri()}{choice}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=120,
    )
    sections = re.findall(r'<section data-experiments="(\w+)"( hidden="")?>', done.stdout)
    assert [name for name, _ in sections] == ["one", "two", "two"]
    assert [name for name, is_hidden in sections if is_hidden] == hidden


@pytest.fixture
def run(tmp_path: Path, vqvae_settings: Vqvae, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a run of the tiny configuration leaves of two methods, with weights of no training."""
    monkeypatch.chdir(tmp_path)
    squares.make(tmp_path / "images", 24)
    folder = Folder(kind="folder", path="images", crop="center", max_images=None, val_fraction=0.3)
    results = tmp_path / "results"
    manifest = results / "data" / "squares-16" / "manifest.json"
    prepare.run(PrepareSettings(dataset=folder, image_size=16), manifest=manifest)
    torch.manual_seed(0)
    vqvae = VQVAE(vqvae_settings, 1).train()
    vqvae(torch.rand(8, 3, 16, 16) * 2 - 1)
    save_vqvae(results / "squares16" / "vqvae.safetensors", vqvae.eval(), {})
    for method in ("mle", "single"):
        of = results / "squares16" / method
        codes = torch.randint(16, (6, 4, 4), dtype=torch.int16)
        save_draw(of / "samples-0-0.safetensors", CodeSet((codes,), 16), 0, 0, {})
        line = {"step": 4, "seconds": 1, "val_nll": 2.0, "selected_iteration": 4}
        (of / "prior.jsonl").write_text(json.dumps(line) + "\n")
    return tmp_path


def test_the_command_shows_a_run(run: Path, capsys):
    assert cli.main(["gallery", "--count", "3", "--configfile", str(TINY)]) == 0
    assert "results/gallery.html: samples of squares16; open it" in capsys.readouterr().out
    text = (run / "results" / "gallery.html").read_text()
    assert text.count('alt="sample"') == 2 * 3
    assert text.count('alt="training image"') == 2 * 3 * 3
    assert text.index("MLE") < text.index("Single reward")
    assert "iteration 4 of 4" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["squares61"], "no experiment is named 'squares61' (did you mean 'squares16'?)"),
        (["hierarchy16"], "experiment hierarchy16: has no samples yet"),
        (["--count", "0"], "--count 0: must be at least 1"),
    ],
)
def test_a_wrong_command_of_a_gallery_is_one_line(run: Path, capsys, arguments, message):
    assert cli.main(["gallery", *arguments, "--configfile", str(TINY)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (run / "results" / "gallery.html").exists()
