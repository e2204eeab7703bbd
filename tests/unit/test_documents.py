"""The command that writes the documents: results, the reference of the settings, collection."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import BaseModel, Field

import collect
import markers
import result_files
import result_tables
import settings_comments
import settings_reference
import settings_types
import views
import write_documents
from helpers.paths import ROOT
from rarl.config.fields import EvenOrOne, Fraction, OddFilter
from rarl.runtime.errors import UserError

TABLE = {
    "kind": "table",
    "file": "t.long.csv",
    "heading": "method",
    "caption": "Over {count} seeds.",
    "show": {"metric": "distance", "spread": "deviation", "style": "number", "digits": 1},
    "rows": {"A": {"method": "a"}, "B": {"method": "b", "against": "a"}},
    "columns": {"X": {"experiment": "x"}},
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two measurements of one method, one of another, and a JSON file."""
    lines = [
        ("x", "a", 10.0, 10.5, 0.7, 2),
        ("x", "a", 11.0, 10.5, 0.7, 2),
        ("x", "b", 8.4, 8.4, None, 1),
    ]
    columns = ["experiment", "method", "value", "mean", "deviation", "count"]
    frame = pd.DataFrame(lines, columns=columns)
    frame.assign(extractor="e", metric="distance", interval=1.0).to_csv(tmp_path / "t.long.csv")
    (tmp_path / "t.json").write_text(
        '{"runs": [{"n": 2, "s": 1.25}], "s": {"all": 3.5, "no": null}}'
    )
    result_files.write_commits({"t.long.csv": "abc1234", "t.json": "abc1234"}, tmp_path)
    return tmp_path


def view(**changes: object) -> views.View:
    return views.ALL.validate_python({"v": TABLE | changes})["v"]


def render(shown: views.View, results: Path) -> str:
    return result_tables.render(shown, "results", results)


def test_the_documents_are_what_their_results_say(capsys: pytest.CaptureFixture[str]):
    """`python docs/write_documents.py` writes what is named here."""
    assert write_documents.main(["--check"]) == 0, capsys.readouterr().out


def test_a_table_selects_formats_and_names_its_source(results: Path):
    assert render(view(), results).splitlines() == [
        "| method | X |",
        "| --- | ---: |",
        "| A | 10.5 ± 0.7 |",
        "| B | 8.4 (-20.0%) |",
        "",
        "Over 1 or 2 seeds. Source: [t.long.csv](results/t.long.csv), commit abc1234.",
    ]


def test_values_numbers_and_records(results: Path):
    cell = {**TABLE["show"], "experiment": "x", "method": "b", "style": "percent"}
    of = {"file": "t.json", "key": "s.all", "format": "{:.2f} s"}
    shown = views.ALL.validate_python(
        {
            "value": {"kind": "value", "file": "t.long.csv", "show": cell},
            "number": {"kind": "number", **of},
            "unknown": {"kind": "number", **of, "key": "s.no"},
            "records": {
                "kind": "records",
                "file": "t.json",
                "key": "runs",
                "columns": {"n": "{n}", "s": "{s:.1f}"},
            },
        }
    )
    assert render(shown["value"], results) == "840.0%"
    assert render(shown["number"], results) == "3.50 s"
    assert render(shown["unknown"], results) == result_tables.UNKNOWN
    assert render(shown["records"], results).splitlines()[2] == "| 2 | 1.2 |"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file": "none.long.csv"}, "none.long.csv: does not exist"),
        ({"columns": {"Y": {"experiment": "y"}}}, "0 cells, not one"),
        ({"rows": {"A": {}}}, "row A: method: Field required"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, object], message: str, results: Path):
    with pytest.raises(UserError, match=re.escape(message)):
        render(view(**changes), results)


def test_marked_places_are_filled_and_must_end():
    text = "a <!-- result: one -->old<!-- end --> b\n<!-- result: two --><!-- end -->\n"
    body = {"one": "1", "two": "| t |\n| - |"}
    once = markers.fill(text, body.__getitem__)
    assert once == (
        "a <!-- result: one -->1<!-- end --> b\n<!-- result: two -->\n| t |\n| - |\n<!-- end -->\n"
    )
    assert markers.fill(once, body.__getitem__) == once
    with pytest.raises(UserError, match="no '<!-- end -->'"):
        markers.fill("<!-- result: one -->", body.__getitem__)


def test_every_result_names_its_commit_and_is_read():
    known = result_files.commits()
    files = {
        path.relative_to(result_files.RESULTS).as_posix()
        for path in result_files.RESULTS.rglob("*")
        if path.is_file() and path.name != result_files.SOURCES
    }
    assert set(known) == files
    assert all(re.fullmatch(r"[0-9a-f]{7,40}", commit) for commit in known.values())
    pages = "".join(path.read_text(encoding="utf-8") for path in write_documents.documents())
    pages += views.VIEWS.read_text(encoding="utf-8")
    read = {name for name in files if name in pages or Path(name).parent.name in pages}
    tables = {name.removesuffix(".long.csv") for name in read}
    assert not {name for name in files - read if name.removesuffix(".md") not in tables}


def test_every_view_is_shown():
    shown = [
        name
        for path in write_documents.documents()
        for name in markers.names(path.read_text(encoding="utf-8"))
    ]
    assert set(views.load()) == set(shown) - {write_documents.SETTINGS}


class Inner(BaseModel):
    width: OddFilter  # pixels


class Outer(Inner):
    share: Fraction | None  # of all; null: none
    stride: EvenOrOne
    rows: tuple[int, ...] = Field(min_length=2)


def test_types_in_words_and_comments_of_the_declaring_class():
    said = {
        name: settings_types.words(field.annotation, field.metadata)
        for name, field in Outer.model_fields.items()
    }
    assert said == {
        "width": "integer, ≥ 1, odd",
        "share": "number, ≥ 0, < 1 or null",
        "stride": "integer, ≥ 1, even or one",
        "rows": "list: integer, at least 2 of them",
    }
    assert settings_comments.of_field(Outer, "width") == "pixels"
    assert settings_comments.of_field(Outer, "share") == "of all; null: none"
    assert settings_comments.of_field(Outer, "stride") == ""


def test_comments_of_a_yaml_file(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text('a: # outer\n  b: {c: 1, d: 2} # inner\n  e: "#no"\n')
    assert settings_comments.of_key(path) == {"a": "outer", "a.b": "inner", "a.e": ""}


def test_every_setting_is_explained():
    """By the comment beside its field, in config.yaml, or in docs/settings.yaml."""
    assert settings_reference.without_meaning(write_documents.configuration()) == []


def test_every_further_explanation_is_used():
    sections = settings_reference.sections()
    names = {name for of in sections for name in of.model.model_fields}
    names |= {f"{of.model.__name__}.{name}" for of in sections for name in of.model.model_fields}
    assert set(settings_comments.further()) <= names


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A git clone with code, and the results of a run that is newer."""
    root = tmp_path / "clone"
    (root / "rarl").mkdir(parents=True)
    (root / "rarl" / "a.py").write_text("A = 1\n")
    git = ["git", "-C", str(root), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git[:3], "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "rarl"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "code"], check=True)
    (root / "results" / "tables").mkdir(parents=True)
    (root / "results" / "tables" / "t.long.csv").write_text("a\n")
    return root


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@needs_git
def test_results_are_collected_with_the_commit_of_their_code(clone: Path, results: Path):
    assert collect.collect(clone / "results", clone, [], results) == ["t.long.csv"]
    assert (results / "t.long.csv").read_text() == "a\n"
    commits = result_files.commits(results)
    assert commits["t.json"] == "abc1234" and commits["t.long.csv"] != "abc1234"
    (clone / "results" / "paper" / "figures").mkdir(parents=True)
    (clone / "results" / "paper" / "figures" / "f.png").write_text("f")
    (results / "paper").mkdir()
    name = "paper/f.png"
    assert collect.collect(clone / "results", clone, [name], results) == [name]
    assert (results / name).read_text() == "f"


@needs_git
def test_results_older_than_the_code_are_refused(clone: Path, results: Path):
    os.utime(clone / "results" / "tables" / "t.long.csv", (1, 1))
    with pytest.raises(UserError, match="older than the code"):
        collect.collect(clone / "results", clone, [], results)


@needs_git
def test_code_without_a_commit_is_refused(clone: Path, results: Path):
    (clone / "rarl" / "a.py").write_text("A = 2\n")
    with pytest.raises(UserError, match="commit the code first"):
        collect.collect(clone / "results", clone, [], results)


def test_the_citation_is_of_this_version_and_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert f'version = "{citation["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert citation["preferred-citation"]["url"].endswith("2007.09923")
    assert [of["family-names"] for of in citation["preferred-citation"]["authors"]] == [
        "Ak",
        "Xu",
        "Lin",
        "Wang",
    ]
