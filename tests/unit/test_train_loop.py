"""What a step sees, what is averaged and kept, what the loop logs."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rarl.config import Limit, Vqvae
from rarl.config.stages.train import VqvaeSettings
from rarl.data.batches import batch_indices, consecutive
from rarl.report import run_warnings
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.errors import UserError
from rarl.runtime.train_log import TrainLog
from rarl.train.averaging import MovingAverage, Selection
from rarl.train.loop import Loop
from rarl.train.vqvae import train_vqvae


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_example_is_seen_once_an_epoch():
    seen = torch.cat([batch_indices(10, 4, 0, step) for step in range(5)])  # two epochs
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()
    assert not torch.equal(batch_indices(10, 4, 0, 0), batch_indices(10, 4, 1, 0))


def test_a_batch_may_be_larger_than_the_data():
    assert sorted(batch_indices(3, 6, 0, 1).tolist()) == [0, 0, 1, 1, 2, 2]


def test_consecutive_batches_cover_everything_in_order():
    assert torch.cat(consecutive(10, 4)).tolist() == list(range(10))


def test_the_moving_average_follows_its_closed_form():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = MovingAverage(model, 0.9)
    for value in (2.0, 5.0):
        nn.init.constant_(model.weight, value)
        average.update(model)
    assert average.model.weight.item() == pytest.approx(0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 5)


@pytest.mark.parametrize(("rule", "step", "metric"), [("best", 1, 1.0), ("last", 2, 2.0)])
def test_the_selected_weights_are_a_copy(rule: str, step: int, metric: float):
    model, selection = nn.Linear(1, 1, bias=False), Selection(rule, torch.device("cpu"))
    for number, value in enumerate([3.0, 1.0, 2.0]):
        nn.init.constant_(model.weight, float(number))
        selection.offer(number, value, model)
    nn.init.constant_(model.weight, 9.0)
    assert (selection.step, selection.metric) == (step, metric)
    assert selection.weights["weight"].item() == step
    other = Selection(rule, torch.device("cpu"))
    other.load_state_dict(selection.state_dict())
    assert other.state_dict() == selection.state_dict()


def test_the_loop_logs_evaluates_and_publishes(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = TrainLog(path)

    steps = []

    def step(i: int) -> dict[str, Tensor]:
        assert not path.exists()
        steps.append(i)
        return {"draw": torch.rand(())}

    loop = Loop(
        "x",
        5,
        precision="float32",
        warmup=2,
        seed=0,
        log=log,
        log_every=2,
        evaluate_every=3,
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    loop.run(step, lambda i: {"at": float(i)}, {})
    assert steps == [-2, -1, 0, 1, 2, 3, 4]
    evaluated = [line["at"] for line in lines(path) if "at" in line]
    logged = {line["step"]: line["draw"] for line in lines(path) if "draw" in line}
    assert evaluated == [0, 3, 5]
    assert list(logged) == [2, 4, 5]
    assert len(set(logged.values())) == 3  # each step has a random stream of its own


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_stops_with_stage_step_and_name(tmp_path: Path, value: float):
    path = tmp_path / "log.jsonl"
    loop = Loop(
        "prior",
        3,
        precision="float32",
        seed=0,
        log=TrainLog(path),
        log_every=1,
        evaluate_every=1,
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    with pytest.raises(UserError, match=r"prior diverged at step 1: loss is (nan|inf)"):
        loop.run(lambda i: {"loss": torch.tensor(value)}, lambda i: {}, {})
    assert not path.exists()


@pytest.mark.parametrize(
    ("value", "side"), [(0.5, "below its limit 1"), (3.0, "above its limit 2")]
)
def test_a_figure_beyond_its_limit_stops_or_is_noted(tmp_path: Path, value: float, side: str):
    def loop(name: str, action: str) -> Loop:
        return Loop(
            "prior",
            2,
            precision="float32",
            seed=0,
            log=TrainLog(tmp_path / name),
            log_every=1,
            evaluate_every=2,
            checkpoints=Checkpoints(tmp_path / f"out-{name}", {}),
            limits={"kl": Limit(least=1.0, most=2.0, action=action)},
        )

    def step(i: int) -> dict[str, Tensor]:
        return {"kl": torch.tensor(value if i else 1.5), "other": torch.tensor(100.0)}

    def evaluate(i: int) -> dict[str, float]:
        return {} if i else {"kl": value}  # of a model that is not yet trained

    with pytest.raises(UserError, match=rf"prior stopped at step 2: kl {value:g} is {side}"):
        loop("stop", "stop").run(step, evaluate, {})
    assert not (tmp_path / "stop").exists()
    loop("warn", "warn").run(step, evaluate, {})
    assert [line["warning"] for line in lines(tmp_path / "warn") if "warning" in line] == [
        f"kl {value:g} is {side}"
    ]
    [note] = run_warnings.lines([tmp_path / "warn"])
    run = "/".join(tmp_path.parts[-2:])
    assert note == f"- warning: {run}/warn, step 2: kl {value:g} is {side}"


def test_a_codebook_that_collapses_is_noted(
    tmp_path: Path, vqvae_settings: Vqvae, capsys: pytest.CaptureFixture[str]
):
    """Images of one colour need few codes: that of the middle and those near the border."""

    class OneColour:
        def __len__(self) -> int:
            return 8

        def take(self, indices: np.ndarray) -> np.ndarray:
            return np.full((len(indices), 16, 16, 3), 99, np.uint8)

    settings = VqvaeSettings(
        precision="float32",
        seed=0,
        latents=(4,),
        vqvae=vqvae_settings.model_copy(update={"restart_threshold": 0.0}),
        limits={"codes_in_use": Limit(least=0.8, most=None, action="warn")},
    )
    path = tmp_path / "log.jsonl"
    train_vqvae(
        settings,
        OneColour(),
        OneColour(),
        device=torch.device("cpu"),
        log=TrainLog(path),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    noted = [line["warning"] for line in lines(path) if "warning" in line]
    assert noted[-1].startswith("codes_in_use 0.")
    assert noted[-1].endswith(" is below its limit 0.8")
    assert "warning: step 4: codes_in_use" in capsys.readouterr().err
