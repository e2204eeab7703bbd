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
    prior: Path,
    reference: Path,
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the prior by more MLE or by reinforcement."""
    on = device.pick()
    model, sets = load_prior(prior, on), load_codes(codes)
    tuned = finetune(
        settings,
        model,
        training_codes(sets, flip=model.settings.flip),
        HeldOut(
            val=sets["val"],
            vqvae=load_vqvae(vqvae, on),
            extractor=load_extractor(settings.extractor, on),
            reference=moments.load(reference),
        ),
        log=MetricsLog(metrics),
    )
    inputs = {"vqvae": vqvae, "codes": codes, "prior": prior, "reference": reference}
    save_prior(output, tuned, provenance.describe("finetune", settings, **inputs))
