"""Fine-tuning keeps the averaged weights that the judge prefers, for every objective."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from small_settings import critic_settings, finetuning, rl_settings

from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior
from rarl.models.saved import CodeSet
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.metrics_log import MetricsLog
from rarl.sampling import policy_log_probs
from rarl.stage_settings import FinetuneSettings
from rarl.train.finetune import finetune, temper

BRIEF = {"iterations": 4, "batch_size": 4, "evaluate_every": 2, "evaluate_samples": 4}
CRITIC = critic_settings(
    loss="logistic", stem_stride=1, final_size=2, batch_size=4, warmup_steps=1, gradient_penalty=0.1
)


class Fake:
    """Prefers the check that it is told to, and remembers what it saw."""

    criterion = "distance"

    def __init__(self, figures: list[float]) -> None:
        self.figures, self.seen = figures, list[dict[str, torch.Tensor]]()

    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        self.seen.append(deepcopy(prior.state_dict()))
        return self.figures[len(self.seen) - 1]


@pytest.mark.parametrize("objective", ["mle", "reinforce"])
@pytest.mark.parametrize("figures", [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
def test_the_best_check_is_kept(
    tmp_path: Path,
    make_code_prior: Callable[..., CodePrior],
    codes_of: Callable[..., CodeSet],
    objective: str,
    figures: list[float],
):
    prior, start = make_code_prior(4), make_code_prior(4)
    judge = Fake(figures)
    mle = objective == "mle"
    rl = finetuning(**BRIEF) if mle else rl_settings(**BRIEF, kl_weight=0.1, critic=CRITIC)
    settings = FinetuneSettings(
        precision="float32",
        seed=0,
        flip=False,
        objective=objective,
        rl=rl,
        rows=(4,),
        temperature=1.0,
        top_k=0,
        limits={},
        extractor=None,
    )
    tuned = finetune(
        settings,
        prior,
        {"train": codes_of(20), "val": codes_of(5)},
        OneHot(7),
        judge,
        log=MetricsLog(tmp_path / "log.jsonl"),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    assert not tuned.training
    assert len(judge.seen) == 3  # the start, after 2 and after 4 iterations
    best = judge.seen[figures.index(1.0)]
    for name, weights in tuned.state_dict().items():
        assert torch.equal(weights, best[name])
    for name, weights in start.state_dict().items():
        assert torch.equal(weights, judge.seen[0][name])
    assert any(not torch.equal(judge.seen[1][name], judge.seen[2][name]) for name in best)


def test_a_tempered_prior_draws_at_1_as_it_drew_at_that_temperature(
    make_code_prior: Callable[..., CodePrior], codes_of: Callable[..., CodeSet]
):
    prior, tempered = make_code_prior(4, 8), make_code_prior(4, 8)
    temper(tempered, 0.8)
    codes = codes_of(5, 4, 8).take(torch.arange(5), prior.device)
    with torch.no_grad():
        for before, after in zip(prior(codes), tempered(codes), strict=True):
            wanted = policy_log_probs(before, 0.8, top_k=0)
            torch.testing.assert_close(policy_log_probs(after, 1.0, top_k=0), wanted)
