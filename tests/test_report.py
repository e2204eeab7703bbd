"""Tables and curves from hand-written results."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from rarl.report import curves, time_figure
from rarl.runtime.errors import UserError
from rarl.stage_settings import CurvesSettings, TableSettings
from rarl.stages import curves as curves_stage
from rarl.stages import distance_table as table_stage

RESULT = {
    "label": "FD-EffLite0",
    "extractor": "efficientnet_lite0",
    "weights_sha256": "abcdef0123456789" * 4,
    "resize": "224 bicubic",
    "reference": "reconstructions",
    "count_reference": 4000,
    "count_samples": 2000,
    "seeds": [0, 1],
    "distances": [10.0, 12.0],
    "mean": 11.0,
    "std": 1.4142135,
    "inputs": {},
    "warning": None,
}
SETTINGS = TableSettings(
    title="Bedrooms",
    headings=("64, small", "128"),
    labels=("MLE", "Single reward"),
    paper=((19.95, None), None),
)


def write(folder: Path, *changes: dict) -> list[Path]:
    """A distance.json for each mapping of changes to `RESULT`."""
    paths = [folder / f"distance-{number}.json" for number in range(len(changes))]
    for path, change in zip(paths, changes, strict=True):
        path.write_text(json.dumps({**RESULT, **change}))
    return paths


def run_table(folder: Path, *changes: dict) -> tuple[str, str]:
    written = write(folder, *changes)
    log = folder / "vqvae.jsonl"
    log.write_text(
        '{"step": 7, "warning": "codes_in_use is low"}\n{"step": 9, "warning": "it is"}\n'
    )
    outputs = {"csv": folder / "t.csv", "markdown": folder / "t.md"}
    table_stage.run(SETTINGS, distances=written, metrics=[log], **outputs)
    return outputs["csv"].read_text(), outputs["markdown"].read_text()


def test_csv_is_row_major_means(tmp_path):
    text, _ = run_table(tmp_path, *({"mean": mean} for mean in (1.5, 2.25, 3.00006, 400.0)))
    assert list(csv.reader(text.splitlines())) == [
        ["method", "64, small", "128"],
        ["MLE", "1.5000", "2.2500"],
        ["Single reward", "3.0001", "400.0000"],
    ]


def test_markdown_states_deviation_paper_and_protocol(tmp_path):
    single = {"seeds": [7], "distances": [5.0], "mean": 5.0, "std": None}
    warned = {"warning": "fewer samples than features"}
    _, text = run_table(
        tmp_path, {}, {"label": "FID", **single}, warned, {"label": "FID", **single}
    )
    lines = text.splitlines()
    assert lines[0] == "# Bedrooms"
    assert lines[2] == "| Method | 64, small | 128 |"
    assert lines[4] == "| MLE | 11.00 ± 1.41 (paper: 19.95) | 5.00 |"
    assert lines[5] == "| Single reward | 11.00 ± 1.41 | 5.00 |"
    assert (
        "- 64, small: FD-EffLite0, 2,000 pictures against 4,000 training reconstructions; "
        "extractor efficientnet_lite0 (SHA-256 abcdef012345), resize 224 bicubic; "
        "sampling seeds 0, 1" in lines
    )
    assert "- 64, small: warning: fewer samples than features" in lines
    run = "/".join((*tmp_path.parts[-2:], "vqvae"))
    assert f"- warning: {run}, step 7: codes_in_use is low (and 1 more)" in lines
    assert any("FID on its own pictures, not comparable with FD-EffLite0." in of for of in lines)


def test_a_table_of_fid_is_comparable(tmp_path):
    _, text = run_table(tmp_path, *[{"label": "FID"}] * 4)
    assert "not comparable" not in text


@pytest.mark.parametrize("name", ["label", "weights_sha256", "resize", "count_samples"])
def test_a_column_of_two_protocols_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=f"column '64, small': {name} is .* in one row and 3 in"):
        run_table(tmp_path, {}, {}, {name: 3}, {})
    assert not (tmp_path / "t.csv").exists()


def test_a_file_that_is_no_distance_is_named(tmp_path):
    paths = write(tmp_path, {}, {}, {}, {})
    paths[2].write_text('{"label": "FID"}')
    with pytest.raises(UserError, match=r"distance-2\.json: is no result of the distance stage"):
        table_stage.run(
            SETTINGS, distances=paths, metrics=[], csv=tmp_path / "c", markdown=tmp_path / "m"
        )


def lines_of(**figures: list) -> str:
    """JSON lines at steps 10, 20, ...; None leaves a figure out of a line."""
    steps = range(len(next(iter(figures.values()))))
    lines = [
        {
            "step": 10 * (step + 1),
            "seconds": 0.5 * step,
            **{name: all_[step] for name, all_ in figures.items() if all_[step] is not None},
        }
        for step in steps
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def metrics(tmp_path) -> list[Path]:
    texts = {
        "vqvae": lines_of(
            mse=[0.1, 0.05], val_mse=[None, 0.06], codes_in_use=[0.5, 1.0], perplexity=[3.0, 7.0]
        ),
        "prior": lines_of(nll=[2.0, 1.5], val_nll=[None, 1.7]),
        "mle": lines_of(nll=[1.4, 1.3], val_nll=[None, 1.6], distance=[None, 30.0]),
        "single": lines_of(
            reward_mean=[-1.0, 2.0],
            wasserstein=[5.0, 3.0],
            kl=[0.1, 0.2],
            entropy=[1.2, 1.1],
            distance=[None, 20.0],
        ),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.jsonl").write_text(text)
    return [tmp_path / f"{name}.jsonl" for name in texts]


def test_curves_draw_every_figure_where_it_belongs(metrics):
    vqvae, prior, mle, single = map(curves.read, metrics)
    methods = {"MLE": mle, "Single reward": single}
    figure = curves.draw(vqvae, {"single": prior}, methods, "squares16")
    drawn = {
        axes.get_title(): {
            str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata()))
            for line in axes.lines
        }
        for axes in figure.axes
    }
    assert drawn["Fine-tuning: held-out distance"] == {
        "MLE": ([20], [30.0]),
        "Single reward": ([20], [20.0]),
    }
    assert drawn["Fine-tuning: validation NLL"] == {"MLE": ([20], [1.6])}
    assert drawn["Fine-tuning: reward of samples"] == {"Single reward": ([10, 20], [-1.0, 2.0])}
    assert drawn["Prior"] == {"train": ([10, 20], [2.0, 1.5]), "validation": ([20], [1.7])}
    assert drawn["VQ-VAE: use of the codebook"]["codes in use"] == ([10, 20], [0.5, 1.0])
    colours = {
        line.get_color()
        for axes in figure.axes
        for line in axes.lines
        if line.get_label() == "Single reward"
    }
    assert colours == {"C1"}
    assert all(axes.get_ylabel() for axes in figure.axes)


def test_curves_tell_two_priors_apart(metrics):
    vqvae, prior, *_ = map(curves.read, metrics)
    figure = curves.draw(vqvae, {"top": prior, "bottom": prior}, {}, "hierarchy16")
    [axes] = [axes for axes in figure.axes if axes.get_title() == "Priors"]
    assert [line.get_label() for line in axes.lines] == [
        *("top, train", "top, validation", "bottom, train", "bottom, validation")
    ]
    assert len({line.get_color() for line in axes.lines}) == 2


def test_curves_are_a_picture(metrics, tmp_path):
    settings = CurvesSettings(title="squares16", grids=("single",), labels=("MLE", "Single reward"))
    curves_stage.run(settings, metrics=metrics, output=tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000


def test_a_broken_line_of_metrics_is_named(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"step": 1}\n{"step": \n')
    with pytest.raises(UserError, match=r"m\.jsonl: line 2 is no JSON object"):
        curves.read(tmp_path / "m.jsonl")


def test_time_is_compared_within_the_common_budget():
    full = [
        {"step": 0, "distance": 30.0, "training_seconds": 0.0},
        {"step": 10, "distance": 20.0, "training_seconds": 10.0},
        {"step": 20, "distance": 15.0, "training_seconds": 20.0},
    ]
    half = [{**line, "training_seconds": line["training_seconds"] / 2} for line in full]
    half[1] = {**half[1], "distance": 40.0}  # worse than before: the best so far stays
    rows = list(csv.reader(time_figure.to_csv({"full": full, "half": half}).splitlines()))
    assert rows[1:] == [
        ["full", "10.00", "20.0000", "20.00", "20"],
        ["half", "10.00", "15.0000", "10.00", "20"],
    ]
    [axes] = time_figure.draw({"full": full, "half": half}, "T").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["full"] == [30, 20, 15]
    assert drawn["half"] == [30, 30, 15]


def test_a_log_without_distances_is_named():
    with pytest.raises(UserError, match="MLE: its metrics hold no distances"):
        time_figure.budget({"MLE": [{"step": 1}]})
