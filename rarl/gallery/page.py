"""A gallery as one HTML page that needs no other file and no network. Imports no torch."""

import base64
import io
from collections.abc import Iterable
from html import escape

from markdown_it import MarkdownIt
from PIL.Image import Image

from rarl.gallery.content import Experiment, Gallery, MarkdownTable, Sample

# The browser refuses whatever is not in the page itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; margin: 2em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.2em; margin-top: 2.5em; }
nav { position: sticky; top: 0; background: #fff; padding: .6em 0; border-bottom: 1px solid #ddd; }
p, .small { color: #555; font-size: .9em; max-width: 60em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .3em .8em; border-bottom: 1px solid #ddd; text-align: left; }
.samples td { vertical-align: top; }
.samples img { image-rendering: pixelated; display: block; outline: 1px solid #ddd; }
.sample { display: flex; gap: 4px; } .sample > img { width: 96px; }
figure { margin: 0; width: 56px; font-size: .7em; color: #555; } figure img { width: 56px; }
.near figure:first-of-type { outline: 3px solid #c00; }
.curves { max-width: 100%; } [hidden] { display: none; }
"""
# Shows what is of one experiment; the address keeps the choice, so that it can be sent to others.
SCRIPT = """
const choice = document.getElementById("experiment");
function filter() {
  for (const part of document.querySelectorAll("[data-experiments]"))
    part.hidden = choice.value && !part.dataset.experiments.split(" ").includes(choice.value);
}
choice.value = decodeURIComponent(location.hash.slice(1));
if (!choice.value) choice.value = "";
choice.addEventListener("change", () => { location.hash = choice.value; filter(); });
filter();
"""


def html(gallery: Gallery) -> str:
    title = escape(f"Gallery of {gallery.title}")
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{STYLE}</style>"
    )
    options = "".join(
        f'<option value="{escape(of.name)}">{escape(of.name)}</option>'
        for of in gallery.experiments
    )
    select = f'<select id="experiment"><option value="">all</option>{options}</select>'
    parts = [
        f"<h1>{title}</h1>",
        f"<nav><label>Experiment: {select}</label></nav>",
        *map(_experiment, gallery.experiments),
        *map(_table, gallery.tables),
        f"<script>{SCRIPT}</script>",
    ]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _section(experiments: Iterable[str], *parts: str) -> str:
    names = escape(" ".join(experiments))
    return f'<section data-experiments="{names}">\n' + "\n".join(parts) + "\n</section>"


def _experiment(of: Experiment) -> str:
    parts = [
        f"<h2>{escape(of.name)}</h2>",
        f"<p>{escape(of.description)}. {_explanation(of)}</p>",
        _samples(of),
    ]
    if of.curves is not None:
        parts.append(f'<img class="curves" alt="Learning curves" src="{_uri(of.curves)}">')
    return _section([of.name], *parts)


def _explanation(of: Experiment) -> str:
    among = f"{of.training_images:,} of {of.training_total:,} training images"
    return (
        f"Samples of seed {of.seed}, not selected. Methods in a row start from the same random "
        "numbers, but where a method rejects some. Beside each sample stand the training images "
        f"whose features are nearest, among {among}, with their distance. Of held-out images half "
        f"have a training image within {of.median:.3g}, and 5% one within {of.near:.3g}; a sample "
        "with one nearer than that has a red frame: look whether it is a copy."
    )


def _samples(of: Experiment) -> str:
    heads = "".join(_head(of, method.label, method.iteration) for method in of.methods)
    rows = []
    for number in range(max(len(method.samples) for method in of.methods)):
        cells = (
            _sample(method.samples[number], of.near) if number < len(method.samples) else ""
            for method in of.methods
        )
        rows.append(f"<tr><td>{number}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f'<table class="samples"><tr><th></th>{heads}</tr>\n' + "\n".join(rows) + "</table>"


def _head(of: Experiment, label: str, iteration: str) -> str:
    [samples] = [method.samples for method in of.methods if method.label == label]
    near = sum(_is_near(sample, of.near) for sample in samples)
    small = f"{escape(iteration)}; {near} of {len(samples)} near a training image"
    return f'<th>{escape(label)}<div class="small">{small}</div></th>'


def _sample(sample: Sample, near: float) -> str:
    figures = "".join(
        f'<figure><img alt="training image" src="{_uri(of.image)}">{of.distance:.3g}</figure>'
        for of in sample.neighbours
    )
    marked = " near" if _is_near(sample, near) else ""
    return (
        f'<div class="sample{marked}"><img alt="sample" src="{_uri(sample.image)}">{figures}</div>'
    )


def _is_near(sample: Sample, near: float) -> bool:
    return bool(sample.neighbours) and sample.neighbours[0].distance < near


def _table(table: MarkdownTable) -> str:
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(table.text)
    return _section(table.experiments, rendered.replace("<h1>", "<h2>").replace("</h1>", "</h2>"))


def _uri(image: Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
