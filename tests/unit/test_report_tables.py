"""The other tables, from hand-written results and from the paper's own configuration."""

import csv
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from helpers.paths import ROOT
from rarl.config import load
from rarl.config.stages.evaluate import SecondsSettings
from rarl.config.stages.report import REAL, Column, Row, Run
from rarl.layout import Layout
from rarl.report import page, plan
from rarl.report.distances import Measured
from rarl.report.frame import half_interval, runs
from rarl.report.logs import Selected
from rarl.report.measured import measured
from rarl.report.plots import samples
from rarl.report.table import Cell, Cells, Table, in_rows
from rarl.report.tables import architecture, distance, nll, quality, replicated, seconds
from rarl.results.distances import Distances, Protocol
from rarl.results.nll import Nll
from rarl.results.quality import Memorisation, Quality
from rarl.results.seconds import Seconds

Figures = tuple[Measured, Quality, Selected]
PROTOCOL = Protocol(
    label="FID",
    extractor="inception",
    weights_sha256="ab" * 32,
    resize="r",
    reference="reconstructions",
    count_reference=100,
    count_samples=50,
)
PAPER = load(ROOT / "config" / "paper.yaml")


def settings_of(*labels: str, heading: str = "128", seeds: tuple[int, ...] = (0,)) -> dict:
    """Of a table with a column and a row for each label; the first row has a value of the paper."""
    return {
        "title": "T",
        "columns": (
            Column(name="images", heading=heading, training_seeds=seeds, extractors=("inception",)),
        ),
        "rows": tuple(Row(name=label.lower(), label=label) for label in labels),
        "paper": ((102.0,), *(None for _ in labels[1:])),
        "notes": ("- a note",),
    }


def table_of(headings: list[str], values: list[str], texts: list[str], title: str = "T") -> Table:
    frames = (pd.DataFrame([row], ["x"], headings) for row in (values, texts))
    return Table(title, "Method", Cells(*frames), pd.DataFrame({"value": [1.5]}), ["- a note"])


def test_a_table_is_csv_and_markdown():
    table = table_of(["a|b", "c, d"], ["1", "2"], ["one", "two"])
    assert table.long_csv() == "value\n1.5\n"
    assert list(csv.reader(table.csv().splitlines())) == [
        ["method", "a|b", "c, d"],
        ["x", "1", "2"],
    ]
    assert table.markdown().splitlines() == [
        *(
            "# T",
            "",
            "| Method | a\\|b | c, d |",
            "| --- | ---: | ---: |",
            "| x | one | two |",
            "",
            "- a note",
        )
    ]


def test_cells_fill_rows_or_are_refused():
    assert in_rows([1, 2, 3, 4, 5, 6], 2) == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match="5 cells do not fill 2 rows"):
        in_rows([1, 2, 3, 4, 5], 2)


def test_a_measured_cell_shows_deviation_and_paper():
    shown = Cell("1.2346", "1.23 ± 0.50 (paper: 19.95)")
    assert measured(1.23456, 0.5, paper=19.95) == shown
    assert measured(1.23456, None, 3) == Cell("1.23456", "1.235")
    assert measured(1.23456, None, 1, paper=2, start=True).text == "1.2 (its start; paper: 2)"


def test_seconds_stand_beside_the_papers():
    full = Seconds(batch_size=16, device="CPU", seconds=(1.0, 3.0), provenance={})
    partial = full.model_copy(update={"seconds": (0.5, 1.5)})
    kind = seconds.Kind(**settings_of("Full", "Partial"))
    text = kind.made_of([full, partial]).markdown()
    assert "| Full | 2.00 ± 1.41 (paper: 102) |" in text
    assert "| Partial | 1.00 ± 0.71 |" in text
    assert "a batch of 16 images' codes" in text
    assert "on CPU" in text


def distances(seeds: tuple[int, ...], values: tuple[float, ...], method: str = "mle") -> Measured:
    found = Distances(
        protocol=PROTOCOL,
        seeds=seeds,
        distances=values,
        extrapolated=None,
        warning=None,
        provenance={},
    )
    return Measured(Run(experiment="images", method=method, training_seed=0), (found,))


def test_the_rivals_stand_side_by_side():
    first = Quality(
        precision=(0.4, 0.6),
        recall=(0.4, 0.4),
        kid=(0.05, 0.15),
        memorisation=None,
        seconds_per_image=0.25,
        device="CPU",
        provenance={},
    )
    table = quality.Kind(**settings_of("MLE", "Rejection", heading="")).made_of(
        [
            distances((1, 2), (19.0, 21.0)),
            distances((1, 2), (9.0, 11.0), "rejection"),
        ],
        [first, first.model_copy(update={"recall": (0.2, 0.4)})],
        [Selected(0, 80, 2.0), Selected(40, 80, 2.0)],
    )
    rows = list(csv.reader(table.csv().splitlines()))
    assert rows[0] == ["method", "distance", "precision", "recall", "KID", "seconds an image"]
    assert [float(figure) for figure in rows[1][1:]] == [20.0, 0.5, 0.4, 0.1, 0.25]
    assert [float(figure) for figure in rows[2][1:]] == [10.0, 0.5, 0.3, 0.1, 0.25]
    text = table.markdown()
    assert "| Rejection | 10.00 ± 1.41 | 0.500 ± 0.141 |" in text
    assert "- shown are MLE, iteration 0 of 80 (its start); Rejection, iteration 40 of 80" in text
    assert "- a note" in text
    measured = table.long[table.long["unit"] != "ratio"]
    assert len(measured) == 2 * (4 * 2 + 1)


def test_samples_near_a_training_image_and_infinitely_many_stand_beside():
    near = Memorisation(
        shares=(0.11, 0.13),
        expected=0.1,
        low=0.08,
        high=0.12,
        confidence=0.95,
        training=2400,
        held_out=1500,
    )
    of_mle = Quality(
        precision=(0.5, 0.5),
        recall=(0.5, 0.5),
        kid=(0.1, 0.1),
        memorisation=near,
        seconds_per_image=0.25,
        device="CPU",
        provenance={},
    )
    none = {"memorisation": None, "seconds_per_image": None, "device": None}
    of_real = of_mle.model_copy(
        update=none | {"precision": (0.6,), "recall": (0.6,), "kid": (0.0,)}
    )
    measured = [distances((1, 2), (19.0, 21.0)), distances((), (5.0,), REAL)]
    measured = [
        replace(of, results=(of.results[0].model_copy(update={"extrapolated": values}),))
        for of, values in zip(measured, ((15.0, 17.0), (-0.5,)), strict=True)
    ]
    settings = settings_of("MLE", REAL, heading="")
    table = quality.Kind(**settings).made_of(
        measured, [of_mle, of_real], [Selected(80, 80, 2.0), None]
    )
    rows = list(csv.reader(table.csv().splitlines()))
    assert rows[0][-2:] == ["near a training image", "distance of infinitely many"]
    assert rows[1][-2:] == ["0.12000", "16.0000"]
    assert rows[2][-3:] == ["", "", "-0.5000"]  # the real images are what is compared with
    text = table.markdown()
    assert "| 0.120 ± 0.014 |" in text
    assert (
        "2,400 training images, 1,500 held-out ones; expected 0.100, 95% interval 0.080 to 0.120"
        in text
    )


def test_the_oracles_nlls_are_a_row_for_each_method():
    result = Nll(
        unit="nats a code",
        count_samples=12,
        count_val=8,
        nll_oracle=(2.0, 4.0),
        nll_test=2.5,
        nll_oracle_of_its_own=1.5,
        provenance={},
    )
    kind = nll.Kind(**settings_of("MLE", heading=""))
    table = kind.made_of([result], [Selected(80, 80, 2.5)])
    assert list(csv.reader(table.csv().splitlines())) == [
        ["method", "NLL_oracle", "NLL_test"],
        ["MLE", "3.000000", "2.500000"],
    ]
    assert "of its own draws the oracle's is 1.5000" in table.markdown()


BLANK = "the paper's cell is blank"
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
    ("table9", "bottom prior"): ("64", "128", "128", "128", "16", "0", "-", "20", BLANK),
    ("table10", "top prior"): ("32", "128", "512", "512", "20", "0", "20", "-", "20625"),
    ("table10", "bottom prior"): ("64", "128", "128", "128", "16", "0", "-", BLANK, "42187"),
}


def rendered(table: str) -> dict[str, dict[str, str]]:
    """Column by column, setting by setting, as people read them."""
    settings = architecture.Kind.from_config(PAPER, table)
    travelled = architecture.Kind.from_json(settings.to_json())  # as to the stage
    assert travelled == settings
    return travelled.table({}).cells.texts.to_dict()


def test_a_table_is_a_page_of_its_own():
    table = table_of(["<b>bold</b>"], ["1"], ["1 ± 2"], "A < B")
    text = page.html(table.markdown())
    assert "<title>A &lt; B</title>" in text
    assert "&lt;b&gt;bold&lt;/b&gt;</th>" in text
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


def test_a_convolution_after_nearest_upsampling_has_its_own_size():
    kind = architecture.Kind.from_config(PAPER, "table5")
    nearest = kind.vqvae.model_copy(update={"upsampling": "nearest"})
    table = kind.model_copy(update={"vqvae": nearest}).table({})
    assert table.cells.values.loc["decoder filter size", "VQ-VAE"] == "3"


@pytest.mark.parametrize(("table", "prior"), PRIORS)
def test_a_prior_of_a_table_is_the_papers(table: str, prior: str):
    column = rendered(table)[prior]
    names = ("input size", "batch size", "hidden units", "residual units", "layers")
    names += ("attention layers", "output stack layers", "conditioning stack layers")
    shown = [column[name] for name in (*names, "training steps")]
    expected = list(PRIORS[table, prior])
    for at, text in enumerate(expected):
        if text is BLANK:  # ours, and marked so
            expected[at] = shown[at] if shown[at].endswith(" (ours)") else text
    assert shown == expected
    assert (column["filter size"], column["dropout"]) == ("5", "0.1")


def test_a_mark_is_for_people_and_the_value_for_programs():
    table = architecture.Kind.from_config(PAPER, "table9").table({})
    rows = {row[0]: row[1:] for row in csv.reader(table.csv().splitlines())}
    assert rows["training steps"] == ["156250", "187500", "156250"]
    assert "| training steps | 156250 | 187500 | 156250 (ours) |" in table.markdown()
    assert "(ours): the paper does not give it." in table.markdown()
    marked = table.long[table.long["ours"]]
    assert marked[["model", "setting"]].to_numpy().tolist() == [["bottom prior", "training steps"]]
    assert len(table.long) > 20


@pytest.mark.parametrize("table", VQVAE)
def test_the_papers_architectures_are_in_the_documents(table: str):
    """`make paper-architectures` writes them; they need no data."""
    found = architecture.Kind.from_config(PAPER, table).table({})
    path = ROOT / "docs" / "results" / "paper" / f"{table}.md"
    assert path.read_text() == found.markdown()


DEFAULT = load(ROOT / "config.yaml")


@pytest.mark.parametrize("name", [f"table{number}" for number in range(1, 13)])
def test_what_the_default_shows_under_the_papers_number_is_called_a_stand_in(name: str):
    number = name.removeprefix("table")
    assert DEFAULT.tables[name].title.startswith(f"Table {number}, stand-in: ")
    assert PAPER.tables[name].title.startswith(f"Table {number}: ")


@pytest.mark.parametrize("name", ["figure1", "figure2"])
def test_so_are_its_figures(name: str):
    title = samples.Kind.from_config(DEFAULT, name).title
    assert title.startswith(f"Figure {name[-1]}, stand-in: ")


def grid_labels(experiment: str) -> tuple[str, ...]:
    return samples.Kind.from_config(DEFAULT, f"samples-{experiment}").labels[0]


def test_a_reward_that_is_mixed_with_likelihood_is_called_so():
    labels = [row.label for row in distance.Kind.from_config(DEFAULT, "table2").rows]
    assert labels == [
        "MLE",
        "Single Reward (+ MLE: 64x64 - 16x16, 128x128 - 16x16)",  # at 8x8 the reward is alone
        "Frechet Reward",
        "Real images",
    ]
    mixed = distance.Kind.from_config(DEFAULT, "table1")
    assert [row.label for row in mixed.rows] == ["MLE", "Single Reward + MLE", "Real images"]
    assert any(note.startswith("- + MLE: the reward's loss is mixed") for note in mixed.notes)
    assert grid_labels("openmoji-64-8")[1] == "Single Reward"
    assert grid_labels("openmoji-64-16")[1] == "Single Reward + MLE"
    paper = distance.Kind.from_config(PAPER, "table2")
    assert [row.label for row in paper.rows] == ["MLE", "Single Reward", "Real images"]
    assert not any("mixed" in note for note in paper.notes)


def test_the_paper_compares_after_the_same_number_of_iterations():
    [note] = distance.Kind.from_config(PAPER, "table2").notes
    assert note.startswith("- selection: last")
    assert distance.Kind.from_config(DEFAULT, "table2").notes[0].startswith("- selection: best")


def test_rejection_says_how_it_differs_from_the_papers():
    notes = quality.Kind.from_config(DEFAULT, "rivals").notes
    assert any(note.startswith("- MLE + rejection: a critic ranks") for note in notes)


def test_both_readings_of_partial_generation_are_timed():
    for config in (DEFAULT, PAPER):
        settings = seconds.Kind.from_config(config, "table11")
        experiment = settings.columns[0].name
        shares = []
        for row in settings.rows:
            rows = SecondsSettings.from_config(config, experiment, row.name, "table11").rows
            shares.append(sum(n * side for n, side in zip(rows, (16, 32), strict=True)) / 1280)
        assert shares == [1.0, 0.5, 0.6]
        assert settings.paper == ((102, 170), None, (61, 123))  # the paper's beside the third
        assert "inferred" in settings.rows[2].label


def test_planning_loads_no_matplotlib_and_no_torch():
    code = (
        "import sys; from rarl.config import load; from rarl.layout import Layout\n"
        "from rarl.report.plan import plan_plot, plan_table\n"
        "config = load(sys.argv[1]); files = Layout(config.results)\n"
        "plots = ['samples-openmoji-64-8', 'curves-openmoji-oracle', *config.figures]\n"
        "plans = [plan_plot(config, files, name) for name in plots]\n"
        "plans += [plan_table(config, files, name) for name in config.tables]\n"
        "assert all(plan.inputs for plan in plans[:len(plots)])\n"
        "assert not {'torch', 'matplotlib', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, ROOT / "config.yaml"], check=True)


def test_a_plan_says_how_many_files_of_each_kind_a_table_reads():
    planned = plan.plan_table(DEFAULT, Layout(DEFAULT.results), "table2")
    groups = {group.name: group.count for group in planned.settings.inputs}
    assert groups["finetunings"] == 9
    assert groups["distances"] == (9 + 3) * 2  # with those of real images, by both extractors
    assert sum(groups.values()) == len(planned.inputs)
    first, *_ = DEFAULT.tables["table2"].experiments
    assert planned.inputs[:2] == [
        f"results/{first}/mle/distance-{name}.json"
        for name in ("efficientnet_lite0", "mobilenet_v2")
    ]
    assert f"results/{first}/distance-held-out-mobilenet_v2.json" in planned.inputs
    assert "results/figures/samples-openmoji-128-16.png" in planned.beside


def test_every_table_and_figure_of_the_paper_has_a_target():
    numbered = {f"table{number}" for number in range(1, 13)}
    assert set(PAPER.tables) == numbered | {"table_oracle", "rivals"}
    assert set(PAPER.figures) == {"figure1", "figure2", "time"}


def test_an_interval_is_students():
    # t of 2 degrees of freedom has its 97.5% quantile at 0.95 / sqrt(0.025 * 0.975 * 2)
    quantile = 0.95 / (2 * 0.025 * 0.975) ** 0.5
    found = half_interval(pd.Series([1.0, 1.0]), pd.Series([3, 1]))
    assert found[0] == pytest.approx(quantile / 3**0.5)
    assert found.isna().tolist() == [False, True]


def over_seeds(mle: list[Figures], rl: list[Figures]) -> Table:
    kind = replicated.Kind(**settings_of("MLE", "RAL", heading="8x8", seeds=(0, 1)))
    figures = [
        (Measured(of, measured.results), *rest)
        for of, (measured, *rest) in zip(runs(kind), (*mle, *rl), strict=True)
    ]
    return kind.made_of(*map(list, zip(*figures, strict=True)))


def run(distance: float, recall: float, nll: float, iteration: int = 80) -> Figures:
    measured_twice = distance - 1, distance + 1
    figures = Quality(
        precision=(0.5, 0.7),
        recall=(recall, recall),
        kid=(0.1, 0.1),
        memorisation=None,
        seconds_per_image=0.25,
        device="CPU",
        provenance={},
    )
    return distances((7, 8), measured_twice), figures, Selected(iteration, 80, nll)


def test_methods_over_training_seeds_stand_beside_the_first_one():
    found = over_seeds(
        [run(20, 0.5, 2.0, 0), run(24, 0.5, 2.0, 0)], [run(15, 0.4, 2.2), run(18, 0.45, 2.2)]
    )
    rows = list(csv.reader(found.csv().splitlines()))
    assert rows[0][2:4] == ["less than MLE", "interval below MLE's"]
    assert rows[1] == ["8x8: MLE", "22.000", "", "", "0.60000", "0.50000", "", "2.000000", "", ""]
    assert rows[2][:4] == ["8x8: RAL", "16.500", "0.2500", "false"]
    assert [float(figure) for figure in rows[2][4:-1]] == [0.6, 0.425, 0.85, 2.2, 0.1]
    assert (rows[0][-1], rows[2][-1]) == ("way to real images", "")  # none are here
    assert "+25.0% ± 0.0%" in found.markdown()
    assert "over 2 training seeds, 0, 1" in found.markdown()
    assert "(its start)" in found.markdown().splitlines()[4]
    ral = found.long[(found.long["method"] == "ral") & (found.long["metric"] == "distance")]
    assert list(ral["training_seed"]) == [0, 0, 1, 1]
    assert list(ral["value"]) == [14, 16, 17, 19]
    assert set(ral["mean"]) == {16.5}
    assert set(ral["count"]) == {2}  # of training seeds
    assert ral["deviation"].iloc[0] == pytest.approx(4.5**0.5)


def test_intervals_that_are_apart_are_said_to_be():
    runs = [run(20, 0.0, 2.0), run(20.1, 0.5, 2.0)], [run(15, 0.4, 2.2), run(15.1, 0.4, 2.2)]
    rows = list(csv.reader(over_seeds(*runs).csv().splitlines()))
    assert rows[2][3] == "true"
    assert rows[2][6] == ""  # no ratio of recalls where one is 0
