"""Stage `finetune`: a prior to a better one, by more MLE or by RAL."""

from pathlib import Path

from rarl.config.stages.train import FinetuneSettings
from rarl.metrics import moments
from rarl.metrics.extractors import load_extractor
from rarl.models.codes import load_codes
from rarl.models.prior_file import load_prior, save_prior
from rarl.models.vqvae_file import load_vqvae
from rarl.rl.finetune import finetune
from rarl.rl.model_selection import DistanceSelection
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.stages._load_reward_features import rewarded_distance

Settings = FinetuneSettings


def run(
    settings: FinetuneSettings,
    *,
    vqvae: Path,
    codes: Path,
    priors: list[Path],
    reference: Path,
    reward_reference: Path | None,
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the prior by more MLE or by reinforcement.

    `reward_reference`: moments, where the reward is a distance to them. Raises `UserError` when
    they are needed and not given.
    """
    on = device.pick()
    model, sets, decoder = load_prior(*priors, device=on), load_codes(codes), load_vqvae(vqvae, on)
    assert settings.extractor is not None  # only an oracle experiment has none
    extractor = load_extractor(settings.extractor, on)
    inputs = {"vqvae": vqvae, "codes": codes, "reference": reference}
    if reward_reference is not None:
        inputs["reward_reference"] = reward_reference
    made = provenance.describe("finetune", settings, priors=priors, **inputs)
    with Checkpoints(output, made) as checkpoints:
        tuned = finetune(
            settings,
            model,
            sets,
            decoder,
            DistanceSelection(decoder, extractor, moments.load(reference)),
            rewarded_distance(settings.rl, reward_reference, on),
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_prior(output, tuned, made)
