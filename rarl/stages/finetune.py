"""Stage `finetune`: a prior to a better one, by more MLE or by RAL."""

from pathlib import Path

from rarl.metrics import moments
from rarl.metrics.extractors import load_extractor
from rarl.models.saved import load_codes, load_prior, load_vqvae, save_prior, training_codes
from rarl.plan import FinetuneSettings
from rarl.runtime import device, provenance
from rarl.runtime.metrics_log import MetricsLog
from rarl.train.finetune import HeldOut, finetune

Settings = FinetuneSettings


def run(
    settings: FinetuneSettings,
    *,
    vqvae: Path,
    codes: Path,
    priors: list[Path],
    reference: Path,
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the prior by more MLE or by reinforcement."""
    on = device.pick()
    model, sets = load_prior(*priors, device=on), load_codes(codes)
    tuned = finetune(
        settings,
        model,
        training_codes(sets, flip=settings.flip),
        HeldOut(
            val=sets["val"],
            vqvae=load_vqvae(vqvae, on),
            extractor=load_extractor(settings.extractor, on),
            reference=moments.load(reference),
        ),
        log=MetricsLog(metrics),
    )
    of = provenance.describe(
        "finetune", settings, vqvae=vqvae, codes=codes, priors=priors, reference=reference
    )
    save_prior(output, tuned, of)
