"""Stage `finetune`: a prior to a better one, by more MLE, by RAL or by another objective."""

from pathlib import Path

from rarl.config.stages.train import FinetuneSettings
from rarl.metrics import moments
from rarl.metrics.extractors import load_extractor
from rarl.models.codes import load_codes
from rarl.models.decoder import Decoder
from rarl.models.onehot import OneHot
from rarl.models.prior_file import load_prior, save_prior
from rarl.models.vqvae_file import load_vqvae
from rarl.rl.finetune import finetune
from rarl.rl.model_selection import DistanceSelection, ModelSelection, OracleSelection
from rarl.rl.rewards.inputs import load_reward
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.errors import UserError
from rarl.runtime.train_log import TrainLog

Settings = FinetuneSettings


def run(
    settings: FinetuneSettings,
    *,
    codes: Path,
    priors: list[Path],
    vqvae: Path | None,
    selection_target: Path,
    reward_reference: Path | None,
    output: Path,
    metrics: Path,
) -> None:
    """Fine-tune the prior; the settings choose the objective, the reward and the model selection.

    `vqvae`: what decodes, where images are looked at; without it a critic sees one-hot codes.
    `selection_target`: moments of real images, or the oracle of an oracle experiment.
    `reward_reference`: moments, where the reward needs them. Raises `UserError` for a file that is
    needed and not given.
    """
    on = device.pick()
    model, sets = load_prior(*priors, device=on), load_codes(codes)
    decoder: Decoder = OneHot(model.codebook_size) if vqvae is None else load_vqvae(vqvae, on)
    reward = load_reward(settings, model, decoder, reward_reference)
    rewarded = settings.rl.rewarded
    if vqvae is None and (settings.extractor or (rewarded and rewarded.images)):
        raise UserError("images are rewarded or compared, but --vqvae names nothing that decodes")
    selection: ModelSelection
    if settings.extractor is None:
        selection = OracleSelection(load_prior(selection_target, device=on))
    else:
        extractor = load_extractor(settings.extractor, on)
        selection = DistanceSelection(decoder, extractor, moments.load(selection_target))
    inputs = {"codes": codes, "selection_target": selection_target}
    for name, path in (("vqvae", vqvae), ("reward_reference", reward_reference)):
        if path is not None:
            inputs[name] = path
    made = provenance.describe("finetune", settings, priors=priors, **inputs)
    with Checkpoints(output, made) as checkpoints:
        tuned = finetune(
            settings,
            model,
            sets,
            decoder,
            selection,
            reward,
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_prior(output, tuned, made)
