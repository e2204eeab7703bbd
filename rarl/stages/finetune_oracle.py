"""Stage `finetune_oracle`: as `finetune`, on an oracle's codes; a critic sees codes or images."""

from pathlib import Path

from rarl.config.stages.train import FinetuneSettings
from rarl.models.codes import load_codes
from rarl.models.decoder import Decoder
from rarl.models.onehot import OneHot
from rarl.models.prior_file import load_prior, save_prior
from rarl.models.vqvae_file import load_vqvae
from rarl.rl.finetune import finetune
from rarl.rl.model_selection import OracleSelection
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.errors import UserError
from rarl.runtime.train_log import TrainLog
from rarl.stages._load_reward_features import rewarded_distance

Settings = FinetuneSettings


def run(
    settings: FinetuneSettings,
    *,
    oracle: Path,
    codes: Path,
    priors: list[Path],
    vqvae: Path | None,
    reward_reference: Path | None,
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the generator of the oracle experiment.

    `vqvae`: what decodes, where images are rewarded; without it a critic sees one-hot codes.
    `reward_reference`: moments, where the reward is a distance to them. Raises `UserError` when
    they are needed and not given.
    """
    on = device.pick()
    model, sets = load_prior(*priors, device=on), load_codes(codes)
    inputs = {"oracle": oracle, "codes": codes}
    decoder: Decoder = OneHot(model.codebook_size)
    distance = rewarded_distance(settings.rl, reward_reference, on)
    if vqvae is not None:
        inputs["vqvae"], decoder = vqvae, load_vqvae(vqvae, on)
    elif distance is not None:
        raise UserError("the reward is a distance, but --vqvae names nothing that decodes")
    if distance is not None and reward_reference is not None:
        inputs["reward_reference"] = reward_reference
    made = provenance.describe("finetune_oracle", settings, priors=priors, **inputs)
    with Checkpoints(output, made) as checkpoints:
        tuned = finetune(
            settings,
            model,
            sets,
            decoder,
            OracleSelection(load_prior(oracle, device=on)),
            distance,
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_prior(output, tuned, made)
