"""Fine-tuning keeps the averaged weights that model selection names, for every objective."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from helpers.small_jobs import inputs, tuning  # noqa: F401
from helpers.small_settings import FRECHET, critic_settings, finetuning, rl_settings
from rarl.config.stages.train import FinetuneSettings
from rarl.metrics.moments import Moments
from rarl.models.codes import CodeSet
from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior
from rarl.report.logs import read_selected
from rarl.rl.finetune import finetune
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rewards.inputs import load_reward
from rarl.rl.rollouts import Rollouts
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.errors import UserError
from rarl.runtime.train_log import TrainLog
from rarl.sampling import policy_log_probs
from rarl.stages import finetune as finetune_stage

BRIEF = {"iterations": 4, "batch_size": 4, "evaluate_every": 2, "evaluate_samples": 4}
CRITIC = critic_settings(
    loss="logistic", stem_stride=1, final_size=2, batch_size=4, warmup_steps=1, gradient_penalty=0.1
)


class Fake:
    """Prefers the check that it is told to, and remembers what it saw."""

    metric = "distance"

    def __init__(self, figures: list[float]) -> None:
        self.figures, self.seen = figures, list[dict[str, torch.Tensor]]()

    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        self.seen.append(deepcopy(prior.state_dict()))
        return self.figures[len(self.seen) - 1]


@pytest.mark.parametrize("objective", ["mle", "reinforce"])
@pytest.mark.parametrize("selection", ["best", "last"])
@pytest.mark.parametrize("figures", [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
def test_the_selected_check_is_kept(
    tmp_path: Path,
    make_code_prior: Callable[..., CodePrior],
    codes_of: Callable[..., CodeSet],
    objective: str,
    figures: list[float],
    selection: str,
):
    prior, start = make_code_prior(4), make_code_prior(4)
    selecting = Fake(figures)
    mle = objective == "mle"
    brief = BRIEF | {"selection": selection}
    rl = finetuning(**brief) if mle else rl_settings(**brief, kl_weight=0.1, reward=CRITIC)
    settings, decoder = tuning((4,), rl), OneHot(7)
    tuned = finetune(
        settings,
        prior,
        {"train": codes_of(20), "val": codes_of(5)},
        decoder,
        selecting,
        load_reward(settings, prior, decoder, None),
        log=TrainLog(tmp_path / "log.jsonl"),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    assert not tuned.training
    assert len(selecting.seen) == 3  # the start, after 2 and after 4 iterations
    kept = 2 if selection == "last" else figures.index(1.0)
    for name, weights in tuned.state_dict().items():
        assert torch.equal(weights, selecting.seen[kept][name])
    selected = read_selected(tmp_path / "log.jsonl")  # what the tables show
    assert (selected.iteration, selected.iterations) == (2 * kept, 4)
    for name, weights in start.state_dict().items():
        assert torch.equal(weights, selecting.seen[0][name])
    assert any(
        not torch.equal(selecting.seen[1][name], selecting.seen[2][name])
        for name in selecting.seen[1]
    )


@pytest.mark.parametrize("objective", ["mle", "reinforce"])
def test_the_tempered_prior_is_the_start_and_the_reference_policy(
    tmp_path: Path,
    make_code_prior: Callable[..., CodePrior],
    codes_of: Callable[..., CodeSet],
    objective: str,
):
    mle = objective == "mle"
    rl = finetuning(**BRIEF) if mle else rl_settings(**BRIEF, start_temperature=0.5, reward=CRITIC)
    selecting, log = Fake([1.0, 2.0, 3.0]), tmp_path / "log.jsonl"
    settings, prior, decoder = tuning((4,), rl), make_code_prior(4), OneHot(7)
    finetune(
        settings,
        prior,
        {"train": codes_of(20), "val": codes_of(5)},
        decoder,
        selecting,
        load_reward(settings, prior, decoder, None),
        log=TrainLog(log),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    start = make_code_prior(4)
    if not mle:
        start.scale_logits(0.5)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert next(line["kl"] for line in lines if "kl" in line) == pytest.approx(0, abs=1e-5)
    for name, weights in start.state_dict().items():
        assert torch.equal(weights, selecting.seen[0][name])


def test_a_distance_in_an_oracle_experiment_needs_what_decodes_and_what_it_is_to(
    tmp_path: Path,
    inputs: Path,  # noqa: F811
):
    rl = rl_settings(**BRIEF, reward=FRECHET)
    moments = Moments(1280)
    moments.update(torch.randn(2, 1280))
    moments.save(tmp_path / "moments.npz", {})
    files = {"selection_target": inputs / "oracle-one", "codes": inputs / "codes-one"}
    outputs = {"output": tmp_path / "out", "metrics": tmp_path / "log"}
    for reference, message in (
        (None, "--reward-reference names no file"),
        (tmp_path / "moments.npz", "--vqvae names nothing that decodes"),
    ):
        with pytest.raises(UserError, match=message):
            finetune_stage.run(
                tuning((4,), rl),
                **files,
                priors=[inputs / "prior-one"],
                vqvae=None,
                reward_reference=reference,
                **outputs,
            )


@pytest.mark.parametrize("images", [False, True])
def test_a_critic_of_an_oracle_experiment_sees_codes_or_images(
    tmp_path: Path,
    inputs: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    images: bool,
):
    seen = set()
    learn = CriticTrainer.learn

    def noting(self: CriticTrainer, rollouts: Rollouts) -> dict[str, torch.Tensor]:
        seen.add(tuple(rollouts.images.shape[1:]))
        return learn(self, rollouts)

    monkeypatch.setattr(CriticTrainer, "learn", noting)
    critic = critic_settings(batch_size=4) if images else CRITIC
    finetune_stage.run(
        tuning((4,), rl_settings(**BRIEF, reward=critic)),
        selection_target=inputs / "oracle-one",
        codes=inputs / "codes-one",
        priors=[inputs / "prior-one"],
        vqvae=inputs / "vqvae-one" if images else None,
        reward_reference=None,
        output=tmp_path / "out",
        metrics=tmp_path / "log",
    )
    assert seen == {(3, 16, 16) if images else (7, 4, 4)}


def test_a_tempered_prior_draws_at_1_as_it_drew_at_that_temperature(
    make_code_prior: Callable[..., CodePrior], codes_of: Callable[..., CodeSet]
):
    prior, tempered = make_code_prior(4, 8), make_code_prior(4, 8)
    tempered.scale_logits(0.8)
    codes = codes_of(5, 4, 8).take(torch.arange(5), prior.device)
    with torch.no_grad():
        for before, after in zip(prior(codes), tempered(codes), strict=True):
            wanted = policy_log_probs(before, 0.8, top_k=0)
            torch.testing.assert_close(policy_log_probs(after, 1.0, top_k=0), wanted)
