"""Tables and curves from hand-written results."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from rarl.config.stages.report import REAL, Column, InputGroup, PlotSettings, Row, TableSettings
from rarl.report import logs
from rarl.report.plots import curves, time
from rarl.report.table import Table
from rarl.report.tables import distance, reconstruction
from rarl.runtime.errors import UserError
from rarl.stages import plot as plot_stage
from rarl.stages import table as table_stage

PROTOCOL = {
    "label": "FD-EffLite0",
    "extractor": "efficientnet_lite0",
    "weights_sha256": "abcdef0123456789" * 4,
    "resize": "224 bicubic",
    "reference": "reconstructions",
    "count_reference": 4000,
    "count_samples": 2000,
}
RESULT = {
    "seeds": [0, 1],
    "distances": [10.0, 12.0],
    "extrapolated": None,
    "warning": None,
    "provenance": {},
}
LITE = ("efficientnet_lite0",)
SETTINGS = distance.Kind(
    title="Bedrooms",
    columns=(
        Column(name="small", heading="64, small", training_seeds=(0,), extractors=LITE),
        Column(name="large", heading="128", training_seeds=(5,), extractors=LITE),
    ),
    rows=(Row(name="mle", label="MLE"), Row(name="single", label="Single reward")),
    paper=((19.95, None), None),
    notes=("- what a reader must know",),
)
SELECTED = (40, 0, 80, 80)  # iterations, row by row


def write(folder: Path, *changes: dict) -> list[Path]:
    """A distance.json for each mapping of changes to `RESULT` and its `PROTOCOL`."""
    paths = [folder / f"distance-{number}.json" for number in range(len(changes))]
    for path, change in zip(paths, changes, strict=True):
        protocol = {key: change.get(key, value) for key, value in PROTOCOL.items()}
        own = {key: change.get(key, value) for key, value in RESULT.items()}
        path.write_text(json.dumps({"protocol": protocol, **own}))
    return paths


def run_table(folder: Path, *changes: dict) -> tuple[str, str]:
    written = write(folder, *changes)
    log = folder / "vqvae.jsonl"
    log.write_text(
        '{"step": 7, "warning": "codes_in_use is low"}\n{"step": 9, "warning": "it is"}\n'
    )
    outputs = {"csv": folder / "t.csv", "long": folder / "long.csv", "markdown": folder / "t.md"}
    finetunings = [finetuning(folder, iteration) for iteration in SELECTED]
    run_stage({"distances": written, "finetunings": finetunings, "logs": [log]}, outputs)
    return outputs["csv"].read_text(), outputs["markdown"].read_text()


def run_stage(inputs: dict[str, list[Path]], outputs: dict[str, Path]) -> None:
    settings = TableSettings(
        kind="distance",
        inputs=tuple(InputGroup(name=name, count=len(files)) for name, files in inputs.items()),
        content=SETTINGS.model_dump(mode="json"),
    )
    travelled = TableSettings.from_json(settings.to_json())
    table_stage.run(
        travelled, inputs=[path for files in inputs.values() for path in files], **outputs
    )


def finetuning(folder: Path, selected: int) -> Path:
    """The log of a run of 80 iterations that ends with the weights of iteration `selected`."""
    path = folder / f"finetuning-{selected}.jsonl"
    path.write_text(
        "".join(
            json.dumps({"step": step, "val_nll": step / 100, "selected_iteration": kept}) + "\n"
            for step, kept in ((0, 0), (40, min(selected, 40)), (80, selected))
        )
    )
    return path


def test_csv_is_row_major_means(tmp_path):
    means = (1.5, 2.25, 3.00006, 400.0)
    text, _ = run_table(tmp_path, *({"distances": [mean - 1, mean + 1]} for mean in means))
    assert list(csv.reader(text.splitlines())) == [
        ["method", "64, small", "128"],
        ["MLE", "1.5000", "2.2500"],
        ["Single reward", "3.0001", "400.0000"],
    ]


def test_markdown_states_deviation_paper_and_protocol(tmp_path):
    single = {"seeds": [7], "distances": [5.0]}
    warned = {"warning": "fewer samples than features"}
    _, text = run_table(
        tmp_path, {}, {"label": "FID", **single}, warned, {"label": "FID", **single}
    )
    lines = text.splitlines()
    assert lines[0] == "# Bedrooms"
    assert lines[2] == "| Method | 64, small | 128 |"
    assert lines[4] == "| MLE | 11.00 ± 1.41 (paper: 19.95) | 5.00 (its start) |"
    assert lines[5] == "| Single reward | 11.00 ± 1.41 | 5.00 |"
    assert (
        "- 64, small: FD-EffLite0, 2,000 images against 4,000 training reconstructions; "
        "extractor efficientnet_lite0 (SHA-256 abcdef012345), resize 224 bicubic; "
        "sampling seeds 0, 1" in lines
    )
    assert "- 64, small: warning: fewer samples than features" in lines
    run = "/".join((*tmp_path.parts[-2:], "vqvae"))
    assert f"- warning: {run}, step 7: codes_in_use is low (and 1 more)" in lines
    assert "- what a reader must know" in lines
    assert (
        "- 64, small: shown are MLE, iteration 40 of 80; Single reward, iteration 80 of 80" in lines
    )
    assert (
        "- 128: shown are MLE, iteration 0 of 80 (its start); Single reward, iteration 80 of 80"
        in lines
    )
    assert any("FID on its own images, not comparable with FD-EffLite0." in of for of in lines)


def test_the_long_csv_has_every_measurement_and_what_its_cell_shows(tmp_path):
    single = {"seeds": [7], "distances": [5.0]}
    run_table(tmp_path, {"distances": [10.0, 13.0]}, single, {}, single)
    long = pd.read_csv(tmp_path / "long.csv")
    assert list(long.columns) == [
        *("experiment", "method", "training_seed", "sampling_seed", "extractor", "metric"),
        *("value", "unit", "iteration", "iterations", "protocol"),
        *("mean", "deviation", "count", "interval", "start", "paper"),
    ]
    of = long[(long["experiment"] == "small") & (long["method"] == "mle")]
    assert list(of["sampling_seed"]) == [0, 1]
    assert list(of["value"]) == [10, 13]
    assert set(of["extractor"]) == {"efficientnet_lite0"}
    first = of.iloc[0]
    assert (first["mean"], first["count"], first["paper"]) == (11.5, 2, 19.95)
    assert first["deviation"] == pytest.approx(3 / 2**0.5)
    assert first["interval"] == pytest.approx(12.7062047 * 1.5)  # t of 1 degree of freedom
    assert first["protocol"].startswith("FD-EffLite0, 2,000 images against 4,000")
    other = long[(long["experiment"] == "large") & (long["method"] == "mle")].iloc[0]
    assert (other["training_seed"], other["iteration"], other["start"]) == (5, 0, True)
    assert other[["deviation", "interval", "paper"]].isna().all()
    # the CSV is a pivot of it
    wide = pd.read_csv(tmp_path / "t.csv", index_col="method")
    assert wide.loc["Single reward", "64, small"] == 11
    cells = long.drop_duplicates(["experiment", "method"]).pivot(
        index="method", columns="experiment", values="mean"
    )
    assert (wide.to_numpy() == cells.loc[["mle", "single"], ["small", "large"]].to_numpy()).all()


def two_extractors(folder: Path) -> Table:
    """MLE, a method and real images, on the features of two networks."""
    column = SETTINGS.columns[0].model_copy(update={"extractors": (*LITE, "mobilenet_v2")})
    rows = (*SETTINGS.rows, Row(name=REAL, label="Real images"))
    kind = SETTINGS.model_copy(
        update={"columns": (column,), "rows": rows, "paper": ((19.95,), None, None)}
    )
    second = {"extractor": "mobilenet_v2", "label": "FD-MobileNetV2"}
    real = {"seeds": [], "count_samples": 1900}
    values = ([50.0, 54.0], [70.0, 72.0], [40.0, 42.0], [60.0, 63.0], [12.0], [21.0])
    changes = [
        {"distances": of, **(second if n % 2 else {}), **(real if n > 3 else {})}
        for n, of in enumerate(values)
    ]
    inputs = {
        "distances": write(folder, *changes),
        "finetunings": [finetuning(folder, iteration) for iteration in (40, 80)],
        "logs": [],
    }
    return kind.table(inputs)


def test_a_second_extractor_stands_in_the_markdown_and_the_long_csv_alone(tmp_path):
    table = two_extractors(tmp_path)
    assert list(csv.reader(table.csv().splitlines())) == [
        ["method", "64, small"],
        ["MLE", "52.0000"],
        ["Single reward", "41.0000"],
        ["Real images", "12.0000"],
    ]
    lines = table.markdown().splitlines()
    assert lines[2] == "| Method | 64, small, FD-EffLite0 | 64, small, FD-MobileNetV2 |"
    assert lines[4] == "| MLE | 52.00 ± 2.83 (paper: 19.95) | 71.00 ± 1.41 |"
    assert lines[6] == "| Real images | 12.00 | 21.00 |"
    long = table.long[table.long["metric"] == "distance"]
    assert set(long["extractor"]) == {*LITE, "mobilenet_v2"}
    assert long.loc[long["extractor"] == "mobilenet_v2", "paper"].isna().all()
    assert long.loc[long["method"] == REAL, "sampling_seed"].isna().all()


def test_a_gain_is_a_share_of_the_distance_and_of_the_gap_to_real_images(tmp_path):
    table = two_extractors(tmp_path)
    text = table.markdown()
    assert (
        "- 64, small, efficientnet_lite0: against MLE, Single reward -21.2% "
        "(28% of the way to real images)" in text  # 11 of 52, and of 40
    )
    assert "64, small, mobilenet_v2: against MLE, Single reward -13.4% (19%" in text
    assert (
        "- 64, small: real images are 1,900 reconstructions of training images that are held out "
        "of the reference, fewer than the 2,000 samples of a row" in text
    )
    ways = table.long[table.long["metric"] == "way_to_real"].set_index("extractor")["value"]
    assert ways.to_dict() == pytest.approx({LITE[0]: 11 / 40, "mobilenet_v2": 9.5 / 50})


def test_a_log_that_does_not_say_what_was_selected_is_named(tmp_path):
    (tmp_path / "old.jsonl").write_text('{"step": 0, "val_nll": 2.0, "distance": 3.0}\n')
    with pytest.raises(UserError, match=r"old\.jsonl: does not say which iteration was selected"):
        logs.read_selected(tmp_path / "old.jsonl")


def test_a_table_of_fid_is_comparable(tmp_path):
    _, text = run_table(tmp_path, *[{"label": "FID"}] * 4)
    assert "not comparable" not in text


@pytest.mark.parametrize(
    ("name", "other"),
    [("label", "3"), ("weights_sha256", "3"), ("resize", "3"), ("count_samples", 3)],
)
def test_a_column_of_two_protocols_is_refused(tmp_path, name, other):
    with pytest.raises(UserError, match=f"column '64, small': {name} is .* in one row and 3 in"):
        run_table(tmp_path, {}, {}, {name: other}, {})
    assert not (tmp_path / "t.csv").exists()


def test_a_file_that_is_no_distance_is_named(tmp_path):
    paths = write(tmp_path, {}, {}, {}, {})
    paths[2].write_text('{"seeds": [0]}')
    outputs = {name: tmp_path / name for name in ("csv", "long", "markdown")}
    with pytest.raises(UserError, match=r"distance-2\.json: is no Distances of this version"):
        run_stage({"distances": paths, "finetunings": [], "logs": []}, outputs)
    with pytest.raises(UserError, match="--inputs names 3 files, but the settings speak of 4"):
        table_stage.run(
            TableSettings(
                kind="distance",
                inputs=(InputGroup(name="distances", count=4),),
                content=SETTINGS.model_dump(mode="json"),
            ),
            inputs=paths[:3],
            **outputs,
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
    vqvae, prior, mle, single = map(logs.read, metrics)
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


def test_a_ring_marks_the_iteration_that_was_kept(metrics):
    vqvae, prior, *_ = map(logs.read, metrics)
    run = pd.DataFrame(
        {"step": [0, 40, 80], "distance": [9.0, 7.0, 8.0], "selected_iteration": [0, 40, 40]}
    )
    figure = curves.draw(vqvae, {"single": prior}, {"MLE": run}, "T")
    [axes] = [of for of in figure.axes if of.get_title() == "Fine-tuning: held-out distance"]
    rings = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in rings] == [(40, 7.0)]


def test_curves_tell_two_priors_apart(metrics):
    vqvae, prior, *_ = map(logs.read, metrics)
    figure = curves.draw(vqvae, {"top": prior, "bottom": prior}, {}, "hierarchy16")
    [axes] = [axes for axes in figure.axes if axes.get_title() == "Priors"]
    assert [line.get_label() for line in axes.lines] == [
        *("top, train", "top, validation", "bottom, train", "bottom, validation")
    ]
    assert len({line.get_color() for line in axes.lines}) == 2


def test_curves_are_a_image(metrics, tmp_path):
    settings = PlotSettings(
        kind="curves",
        inputs=(InputGroup(name="logs", count=len(metrics)),),
        content={"title": "squares16", "levels": ["single"], "labels": ["MLE", "Single reward"]},
    )
    csv = tmp_path / "curves.csv"
    plot_stage.run(settings, inputs=metrics, output=tmp_path / "curves.png", csv=csv)
    values = pd.read_csv(csv)
    own = values[(values["log"] == "Single reward") & (values["metric"] == "distance")]
    assert own[["step", "value"]].to_numpy().tolist() == [[20, 20.0]]
    assert not values["metric"].str.contains("seconds").any()
    with Image.open(tmp_path / "curves.png") as image:
        assert image.format == "PNG"
        assert image.width > 1000


def test_a_broken_line_of_metrics_is_named(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"step": 1}\n{"step": \n')
    with pytest.raises(UserError, match=r"m\.jsonl: line 2 is no JSON object"):
        logs.read(tmp_path / "m.jsonl")


def test_time_is_compared_within_the_common_budget():
    full = [
        {"step": 0, "distance": 30.0, "training_seconds": 0.0},
        {"step": 10, "distance": 20.0, "training_seconds": 10.0},
        {"step": 20, "distance": 15.0, "training_seconds": 20.0},
    ]
    half = [{**line, "training_seconds": line["training_seconds"] / 2} for line in full]
    half[1] = {**half[1], "distance": 40.0}  # worse than before: the best so far stays
    methods = {"half": pd.DataFrame(half), "full": pd.DataFrame(full)}
    rows = list(csv.reader(time.to_csv(methods).splitlines()))
    assert rows == [
        ["method", "budget_seconds", "distance", "iteration", "seconds", "iterations"],
        ["half", "10.00", "15.0000", "20", "10.00", "20"],
        ["full", "10.00", "20.0000", "10", "20.00", "20"],
    ]
    [axes] = time.draw(methods, "T").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["full, 20 iterations"] == [30, 20, 15]
    assert drawn["half, 20 iterations"] == [30, 30, 15]


def test_a_log_without_distances_is_named():
    with pytest.raises(UserError, match="MLE: its log holds no distances"):
        time.progress({"MLE": pd.DataFrame([{"step": 1}])})


def test_a_table_of_reconstructions_says_how_the_codebook_is_used(tmp_path):
    none = {"rows": SETTINGS.rows[:1], "paper": ((None, None),)}
    kind = reconstruction.Kind(**(dict(SETTINGS) | none))
    logs_of = [tmp_path / f"vqvae-{n}.jsonl" for n in (0, 1)]
    for n, path in enumerate(logs_of):
        use = {"val_mse": 0.02, "perplexity": 80.24 + n, "codes_in_use": 0.914}
        early = use | {"perplexity": 1.0}
        path.write_text(
            "".join(
                json.dumps({"step": step} | of) + "\n"
                for step, of in ((0, early), (5, use), (6, {"mse": 0.1}))
            )
        )
    alone = {"seeds": [], "distances": [5.0]}
    inputs = {"distances": write(tmp_path, alone, alone), "logs": logs_of}
    lines = kind.table(inputs).markdown().splitlines()
    for heading, perplexity in (("64, small", "80.2"), ("128", "81.2")):
        assert (
            f"- {heading}, validation images: mean squared error 0.0200 of pixels in [-1, 1]; "
            f"91% of the codes in use, perplexity {perplexity}" in lines
        )
    assert not any("(paper: …)" in line for line in lines)  # it has no value
    logs_of[0].write_text('{"step": 0, "nll": 2.0}\n')
    with pytest.raises(UserError, match=r"vqvae-0\.jsonl: is no log of a VQ-VAE"):
        kind.table(inputs)
