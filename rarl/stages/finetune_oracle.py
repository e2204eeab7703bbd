"""Stage `finetune_oracle`: as `finetune`, on an oracle's codes; the critic sees codes, too."""

from pathlib import Path

from rarl.models.onehot import OneHot
from rarl.models.saved import load_codes, load_prior, save_prior
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.metrics_log import MetricsLog
from rarl.stage_settings import FinetuneSettings
from rarl.train.finetune import finetune
from rarl.train.judge import OracleJudge

Settings = FinetuneSettings


def run(
    settings: FinetuneSettings,
    *,
    oracle: Path,
    codes: Path,
    priors: list[Path],
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the generator of the oracle experiment."""
    on = device.pick()
    model, sets = load_prior(*priors, device=on), load_codes(codes)
    inputs = {"oracle": oracle, "codes": codes}
    made = provenance.describe("finetune_oracle", settings, priors=priors, **inputs)
    with Checkpoints(output, made) as checkpoints:
        tuned = finetune(
            settings,
            model,
            sets,
            OneHot(model.codebook_size),
            OracleJudge(load_prior(oracle, device=on)),
            log=MetricsLog(metrics),
            checkpoints=checkpoints,
        )
        save_prior(output, tuned, made)
