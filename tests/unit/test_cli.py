"""The command line: options from a stage's signature, torch only when a stage starts."""

import json
import os
import subprocess
import sys

import pytest

from helpers.paths import TINY
from rarl import cli
from rarl.runtime import fingerprint, torchrun

STAGE = '''"""A stage for the test, 100 % of it."""

import os
from pathlib import Path

from rarl.config import Settings as Base
from rarl.runtime import checkpoints
from rarl.runtime.errors import UserError
from rarl.runtime.signals import StoppedError


class Settings(Base):
    word: str


def run(
    settings: Settings, *, first_input: Path, others: list[Path], extra: Path | None, output: Path
) -> None:
    if settings.word == "fail":
        raise UserError("it failed")
    if settings.word == "stop":
        raise StoppedError(15, "step 3")
    if settings.word == "interval":
        output.write_text(str(checkpoints._interval))
        return
    names = [first_input.name, *(path.name for path in others), *([extra.name] if extra else [])]
    output.write_text(f"{settings.word} {names} {os.environ.get('OMP_NUM_THREADS')}")
'''


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """The package's stages are one: `probe`."""
    folder = tmp_path / "stages"
    folder.mkdir()
    (folder / "probe.py").write_text(STAGE)
    monkeypatch.setattr(cli, "STAGES", folder)
    monkeypatch.setattr("rarl.stages.__path__", [str(folder)])
    monkeypatch.setattr(fingerprint, "compute", lambda name, kinds: f"code of {name}")
    monkeypatch.delitem(sys.modules, "rarl.stages.probe", raising=False)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "before")
    return folder


def call(tmp_path, word="hello", *more):
    files = ["--first-input", "a", "--others", "b", "c", "--output", str(tmp_path / "out")]
    return cli.main(["stage", "probe", "--settings", json.dumps({"word": word}), *files, *more])


def test_options_become_paths(stage, tmp_path):
    assert call(tmp_path, "hello", "--threads", "3", "--code", "code of probe") == 0
    assert (tmp_path / "out").read_text() == "hello ['a', 'b', 'c'] 3"
    assert os.environ["MKL_NUM_THREADS"] == "3"


def test_a_file_that_may_be_left_out_and_files_that_may_not(stage, tmp_path):
    assert call(tmp_path, "hello", "--extra", "e") == 0
    assert "['a', 'b', 'c', 'e']" in (tmp_path / "out").read_text()
    assert call(tmp_path, "hello", "--extra") == 0  # as a rule writes it that has no such file
    assert "['a', 'b', 'c']" in (tmp_path / "out").read_text()
    with pytest.raises(SystemExit):
        call(tmp_path, "hello", "--others")


def test_threads_are_left_alone_unless_given(stage, tmp_path):
    assert call(tmp_path) == 0
    assert (tmp_path / "out").read_text().endswith("before")


def test_stopped_by_a_signal_it_says_so_and_ends_as_a_shell_expects(stage, tmp_path, capsys):
    assert call(tmp_path, "stop") == 143
    error = capsys.readouterr().err
    assert (
        error
        == "rarl stage probe: stopped by SIGTERM at step 3; the same command goes on from there\n"
    )


def test_how_often_to_save(stage, tmp_path):
    assert call(tmp_path, "interval", "--checkpoint-seconds", "2.5", "--checkpoint-steps", "7") == 0
    assert (tmp_path / "out").read_text() == "Interval(seconds=2.5, steps=7)"
    assert call(tmp_path, "interval") == 0
    assert (tmp_path / "out").read_text() == "Interval(seconds=0.0, steps=0)"


@pytest.mark.parametrize(
    ("known", "found", "missing"),
    [
        (
            ("signals_to_handle", "shutdown_timeout"),
            [
                "--signals-to-handle=SIGINT,SIGTERM,SIGUSR1,SIGHUP,SIGQUIT",
                "--shutdown-timeout=90",
            ],
            [],
        ),
        (
            ("signals_to_handle",),
            ["--signals-to-handle=SIGINT,SIGTERM,SIGUSR1,SIGHUP,SIGQUIT"],
            ["kills its processes 30 s after a signal, not 90 s"],
        ),
        ((), [], ["no --signals-to-handle: SIGUSR1", "no --shutdown-timeout"]),
    ],
)
def test_what_torchrun_lacks_is_a_line(known, found, missing):
    options, lines = torchrun.options(known, 90)
    assert options == found
    for line, part in zip(lines, missing, strict=True):
        assert part in line
        assert "\n" not in line
    assert torchrun.options(("shutdown_timeout",), None)[0] == []


@pytest.mark.parametrize(
    ("word", "more", "message"),
    [
        ("fail", [], "it failed"),
        (3, [], "word: input should be a valid string, but is 3"),
        ("hello", ["--code", "old"], "the code is now code of probe, but old was planned"),
    ],
)
def test_what_the_user_can_mend_is_one_line(stage, tmp_path, capsys, word, more, message):
    assert call(tmp_path, word, *more) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"rarl stage probe: error: {message}")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_missing_option_and_zero_threads_are_usage_errors(stage, tmp_path, capsys):
    for arguments in (["stage", "probe", "--settings", "{}"], []):
        with pytest.raises(SystemExit, match="2"):
            cli.main(arguments)
    with pytest.raises(SystemExit, match="2"):
        call(tmp_path, "hello", "--threads", "0")
    assert "--first-input" in capsys.readouterr().err


def test_help_tells_the_stages(stage, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["stage", "--help"])
    assert "A stage for the test, 100 % of it." in capsys.readouterr().out


def test_parameter_that_is_no_path_is_refused(stage, tmp_path):
    (stage / "probe.py").write_text(STAGE.replace("output: Path", "output: str"))
    with pytest.raises(TypeError, match="stage probe: output is annotated str"):
        call(tmp_path)


def test_check(capsys, tmp_path):
    assert cli.main(["check", str(TINY)]) == 0
    assert "valid; datasets: squares; methods: mle, single" in capsys.readouterr().out
    (tmp_path / "bad.yaml").write_text("results: x\n")
    assert cli.main(["check", str(tmp_path / "bad.yaml")]) == 1
    assert capsys.readouterr().err.startswith("rarl check: error: ")


def test_help_and_table_never_import_torch():
    code = (
        "import sys, rarl.cli, rarl.stages.table\n"
        "try: rarl.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
