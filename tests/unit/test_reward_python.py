"""A user's own reward: what it is given, what it may give, and what makes its results stale."""

import copy
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor

from helpers.paths import TINY
from rarl.config import ConfigError, Python, parse
from rarl.config.stages.train import FinetuneSettings
from rarl.rl.rewards.inputs import RewardInputs
from rarl.rl.rewards.python import build
from rarl.runtime.errors import UserError

RAW = yaml.safe_load(TINY.read_text())
CPU = torch.device("cpu")
BRIGHT = "def bright(images):\n    return images.float().mean((1, 2, 3))\n"
IMAGES = torch.stack([torch.full((3, 4, 6), value) for value in (-1.0, 0.0, 1.0)])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file beside the configuration, where the workflow runs."""
    monkeypatch.chdir(tmp_path)
    path = Path("my_reward.py")
    path.write_text(BRIGHT)
    return path


def config_with(reward: dict[str, str]) -> dict[str, object]:
    raw = copy.deepcopy(RAW)
    own = {"kind": "python", **reward}
    raw["methods"]["own"] = {"label": "Own", "objective": "reinforce", "rl": {"reward": own}}
    return raw


def settings() -> FinetuneSettings:
    raw = config_with({"file": "my_reward.py", "function": "bright"})
    return FinetuneSettings.from_config(parse(raw), "squares16", "own")


def scores(path: Path, function: str = "bright") -> Tensor:
    of = Python(file=str(path), function=function)
    inputs = RewardInputs(
        seed=0,
        batch_size=4,
        shape=(3, 4, 6),
        device=CPU,
        reference=None,
        source_sha256=of.source_sha256(),
    )
    return build(of, inputs).score(IMAGES).whole


def test_it_is_given_bytes_and_gives_scores(source: Path):
    assert scores(source).tolist() == [0.0, 128.0, 255.0]


@pytest.mark.parametrize("given", ["[1, 2, 3]", "images[:, 0, 0, 0].numpy()", "images.shape[1:]"])
def test_scores_may_be_numbers_of_any_kind(source: Path, given: str):
    source.write_text(f"def bright(images):\n    return {given}\n")
    assert scores(source).dtype == torch.float32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def dark(images): ...\n", r"my_reward\.py: has no function bright \(known: dark\)"),
        ("def bright(:\n", r"my_reward\.py: cannot be run: SyntaxError"),
        ("import nothing_of_this_name\n", r"cannot be run: ModuleNotFoundError: No module named"),
        ("def bright(x): return x.float().mean()\n", r"scores of shape \(\) for 3 images; it must"),
        ("def bright(x): return x.float().mean((2, 3))\n", r"shape \(3, 3\) for 3 images"),
        (
            "def bright(x): return [0, float('nan'), 1]\n",
            r"bright\(\) gave nan for image 1; scores",
        ),
        ("def bright(x): return [0, 1, float('inf')]\n", r"gave inf for image 2"),
        (
            "def bright(x): return 1 / 0\n",
            r"bright\(\) failed: ZeroDivisionError: division by zero",
        ),
        ("def bright(x): return None\n", r"bright\(\) failed: "),
    ],
)
def test_what_is_wrong_is_one_line(source: Path, text: str, message: str):
    source.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        scores(source)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("my_reward.py: ")


def test_a_file_that_is_missing_is_named_before_anything_runs(source: Path):
    source.unlink()
    with pytest.raises(
        ConfigError, match=r"methods\.own\.rl\.reward\.file: my_reward\.py: no such"
    ):
        settings()


def test_its_content_is_part_of_what_makes_a_result_stale(source: Path):
    before = settings()
    assert settings().to_json() == before.to_json()
    assert "rarl.rl.rewards.python" in before.kinds
    source.write_text(BRIGHT.replace("mean", "sum"))
    assert settings().to_json() != before.to_json()


def test_a_file_that_changed_since_it_was_planned_is_refused(source: Path):
    inputs = RewardInputs(0, 4, (3, 4, 6), CPU, None, settings().source_sha256)
    source.write_text(BRIGHT + "# later\n")
    with pytest.raises(UserError, match="has changed since it was planned"):
        build(Python(file=str(source), function="bright"), inputs)


def test_it_has_no_scores_of_patches(source: Path):
    raw = config_with({"file": "my_reward.py", "function": "bright"})
    raw["methods"]["own"]["rl"]["credit"] = {"kind": "intermediate"}  # type: ignore[index]
    with pytest.raises(ConfigError, match="intermediate needs scores of patches, which python has"):
        parse(raw)
