"""The other tables, from hand-written results and from the paper's own configuration."""

import csv
from pathlib import Path

import pytest

from rarl import plan
from rarl.config import load
from rarl.report import (
    architecture_table,
    nll_table,
    page,
    quality_table,
    replicated_table,
    seconds_table,
)
from rarl.report.distances import Distance, Protocol
from rarl.report.replicated_table import Estimate, Run
from rarl.report.sheet import Cell, Sheet, in_rows, measured
from rarl.stage_settings import (
    ArchitectureSettings,
    ReplicatedSettings,
    RowsSettings,
    TableSettings,
)

PAPER = load(Path(__file__).resolve().parent.parent / "config" / "paper.yaml")


def test_a_sheet_is_csv_and_markdown():
    sheet = Sheet(
        "T", "Method", ["a|b", "c, d"], [("x", [Cell("1", "one"), Cell("2", "two")])], ["n"]
    )
    assert list(csv.reader(sheet.csv().splitlines())) == [
        ["method", "a|b", "c, d"],
        ["x", "1", "2"],
    ]
    assert sheet.markdown().splitlines() == [
        *(
            "# T",
            "",
            "| Method | a\\|b | c, d |",
            "| --- | ---: | ---: |",
            "| x | one | two |",
            "",
            "n",
        )
    ]


def test_cells_fill_rows_or_are_refused():
    assert in_rows([1, 2, 3, 4, 5, 6], 2) == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match="5 cells do not fill 2 rows"):
        in_rows([1, 2, 3, 4, 5], 2)


def test_a_measured_cell_shows_deviation_and_paper():
    assert measured(1.23456, 0.5, 19.95) == Cell("1.2346", "1.23 ± 0.50 (paper: 19.95)")
    assert measured(1.23456, None, None, 3) == Cell("1.23456", "1.235")


def test_seconds_stand_beside_the_papers():
    result = {"batch_size": 16, "device": "CPU", "seconds": [1.0, 3.0], "mean": 2.0, "std": 1.5}
    settings = TableSettings(
        title="T", headings=("128",), labels=("Full", "Partial"), paper=((102.0,), None)
    )
    text = seconds_table.sheet([result, {**result, "mean": 1.0}], settings).markdown()
    assert "| Full | 2.00 ± 1.50 (paper: 102) |" in text
    assert "| Partial | 1.00 ± 1.50 |" in text
    assert "a batch of 16 pictures' codes" in text
    assert "on CPU" in text


def test_the_rivals_stand_side_by_side():
    protocol = Protocol("FID", "inception", "ab" * 32, "r", "reconstructions", 100, 50)
    distances = [Distance(protocol, (1, 2), mean, 0.5, None) for mean in (20.0, 10.0)]
    quality = {
        **{"precision_mean": 0.5, "precision_std": 0.01, "recall_mean": 0.4, "recall_std": 0.02},
        **{"kid_mean": 0.1, "kid_std": 0.001, "seconds_per_picture": 0.25, "device": "CPU"},
    }
    settings = RowsSettings(title="T", labels=("MLE", "Rejection"))
    sheet = quality_table.sheet(distances, [quality, {**quality, "recall_mean": 0.3}], settings)
    rows = list(csv.reader(sheet.csv().splitlines()))
    assert rows[0] == ["method", "distance", "precision", "recall", "KID", "seconds a picture"]
    assert [float(figure) for figure in rows[1][1:]] == [20.0, 0.5, 0.4, 0.1, 0.25]
    assert [float(figure) for figure in rows[2][1:]] == [10.0, 0.5, 0.3, 0.1, 0.25]


def test_the_oracles_nlls_are_a_row_for_each_method():
    result = {
        **{"unit": "nats a code", "count_samples": 12, "count_val": 8, "nll_test": 2.5},
        **{"nll_oracle": [2.0, 4.0], "nll_oracle_mean": 3.0, "nll_oracle_std": 1.0},
        "nll_oracle_of_its_own": 1.5,
    }
    settings = RowsSettings(title="T", labels=("MLE",))
    sheet = nll_table.sheet([result], settings)
    assert list(csv.reader(sheet.csv().splitlines())) == [
        ["method", "NLL_oracle", "NLL_test"],
        ["MLE", "3.000000", "2.500000"],
    ]
    assert "of its own draws the oracle's is 1.5000" in sheet.markdown()


COMMON_VQVAE = {
    **{"beta": "0.25", "batch size": "128", "hidden units": "128", "residual units": "64"},
    **{"codebook dimension": "64", "encoder filter size": "3", "decoder filter size": "4"},
}
VQVAE = {  # table: image, latents, layers, codebook size, steps
    "table4": ("64", "8", "3", "128", "156250"),
    "table5": ("64", "8", "3", "512", "234375"),
    "table6": ("64", "16", "2", "512", "234375"),
    "table7": ("128", "16", "3", "512", "156250"),
    "table8": ("128", "16 + 32", "2", "512", "156250"),
    "table9": ("256", "32 + 64", "2", "512", "156250"),
    "table10": ("512", "32 + 64", "3", "512", "23437"),
}
PRIORS = {  # input, batch, hidden, residual, layers, attention, output stack, conditioning, steps
    ("table4", "oracle"): ("8", "1024", "256", "256", "5", "0", "5", "-", "90039"),
    ("table4", "generator"): ("8", "1024", "128", "128", "5", "0", "5", "-", "19531"),
    ("table5", "prior"): ("8", "1536", "512", "512", "20", "0", "5", "-", "97656"),
    ("table6", "prior"): ("16", "480", "512", "512", "20", "8", "20", "-", "31250"),
    ("table7", "prior"): ("16", "480", "512", "512", "20", "8", "20", "-", "41666"),
    ("table8", "top prior"): ("16", "480", "512", "512", "20", "8", "20", "-", "166664"),
    ("table8", "bottom prior"): ("32", "128", "512", "512", "20", "0", "-", "20", "156250"),
    ("table9", "top prior"): ("32", "128", "512", "512", "20", "0", "20", "-", "187500"),
    ("table9", "bottom prior"): ("64", "128", "128", "128", "16", "0", "-", "20", "156250"),
    ("table10", "top prior"): ("32", "128", "512", "512", "20", "0", "20", "-", "20625"),
    ("table10", "bottom prior"): ("64", "128", "128", "128", "16", "0", "-", "20", "42187"),
}


def rendered(table: str) -> dict[str, dict[str, str]]:
    """Column by column, setting by setting."""
    settings = plan.architecture(PAPER, table)
    travelled = ArchitectureSettings.from_json(plan.to_json(settings))  # as to the stage
    assert travelled == settings
    text = architecture_table.sheet(travelled).csv()
    header, *rows = csv.reader(text.splitlines())
    return {
        column: {row[0]: row[at] for row in rows} for at, column in enumerate(header[1:], start=1)
    }


def test_a_table_is_a_page_of_its_own():
    sheet = Sheet("A < B", "Method", ["x"], [("<b>bold</b>", [Cell("1", "1 ± 2")])], ["- a note"])
    text = page.html(sheet.markdown())
    assert "<title>A &lt; B</title>" in text
    assert "<td>&lt;b&gt;bold&lt;/b&gt;</td>" in text
    assert "1 ± 2</td>" in text
    assert "<li>a note</li>" in text


@pytest.mark.parametrize("table", VQVAE)
def test_the_vqvae_of_a_table_is_the_papers(table: str):
    image, latents, layers, size, steps = VQVAE[table]
    column = rendered(table)["VQ-VAE"]
    assert {name: text for name, text in column.items() if text != "-"} == COMMON_VQVAE | {
        **{"input size": image, "latent size": latents, "layers": layers},
        **{"codebook size": size, "training steps": steps},
    }


@pytest.mark.parametrize(("table", "prior"), PRIORS)
def test_a_prior_of_a_table_is_the_papers(table: str, prior: str):
    column = rendered(table)[prior]
    names = ("input size", "batch size", "hidden units", "residual units", "layers")
    names += ("attention layers", "output stack layers", "conditioning stack layers")
    assert tuple(column[name] for name in (*names, "training steps")) == PRIORS[table, prior]
    assert (column["filter size"], column["dropout"]) == ("5", "0.1")


def test_every_table_and_figure_of_the_paper_has_a_target():
    numbered = {f"table{number}" for number in range(1, 13)}
    assert set(PAPER.tables) == numbered | {"table_oracle", "rivals"}
    assert set(PAPER.figures) == {"figure1", "figure2", "time"}


def test_an_interval_is_students():
    # t of 2 degrees of freedom has its 97.5% quantile at 0.95 / sqrt(0.025 * 0.975 * 2)
    quantile = 0.95 / (2 * 0.025 * 0.975) ** 0.5
    found = Estimate.of([9.0, 10.0, 11.0])
    assert found.mean == 10
    assert found.half == pytest.approx(quantile / 3**0.5)
    assert Estimate(1, 0.4).below(Estimate(2, 0.5))
    assert not Estimate(1, 0.6).below(Estimate(2, 0.5))


def test_methods_over_training_seeds_stand_beside_the_first_one():
    protocol = Protocol("FID", "inception", "ab" * 32, "r", "reconstructions", 100, 50)

    def run(distance: float, recall: float, nll: float) -> Run:
        return Run(Distance(protocol, (7, 8), distance, 0.5, None), 0.6, recall, nll)

    mle = [run(20, 0.5, 2.0), run(24, 0.5, 2.0)]
    rl = [run(15, 0.4, 2.2), run(18, 0.45, 2.2)]
    settings = ReplicatedSettings(
        title="T", headings=("8x8",), labels=("MLE", "RAL"), training_seeds=(0, 1)
    )
    found = replicated_table.sheet([*mle, *rl], settings)
    rows = list(csv.reader(found.csv().splitlines()))
    assert rows[0][2:4] == ["less than MLE", "interval below MLE's"]
    assert rows[1] == ["8x8: MLE", "22.000", "", "", "0.60000", "0.50000", "", "2.000000", ""]
    assert rows[2][:4] == ["8x8: RAL", "16.500", "0.2500", "false"]
    assert [float(figure) for figure in rows[2][4:]] == [0.6, 0.425, 0.85, 2.2, 0.1]
    assert "+25.0% ± 0.0%" in found.markdown()
    assert "over 2 training seeds, 0, 1" in found.markdown()


def test_the_likelihood_is_that_of_the_checkpoint_that_was_kept(tmp_path):
    lines = [(0, 9.0, 2.0), (5, 7.0, 2.1), (10, 8.0, 2.2)]
    log = "".join(
        f'{{"step": {step}, "seconds": 1, "distance": {distance}, "val_nll": {nll}}}\n'
        for step, distance, nll in lines
    )
    (tmp_path / "log").write_text(log)
    (tmp_path / "quality").write_text('{"precision_mean": 0.5, "recall_mean": 0.25}')
    (tmp_path / "distance").write_text(
        '{"label": "FID", "extractor": "x", "weights_sha256": "ab", "resize": "r", "seeds": [1],'
        ' "reference": "images", "count_reference": 9, "count_samples": 9, "mean": 3, "std": null,'
        ' "warning": null}'
    )
    found = replicated_table.read(*(tmp_path / name for name in ("distance", "quality", "log")))
    assert (found.distance.mean, found.recall, found.val_nll) == (3.0, 0.25, 2.1)
