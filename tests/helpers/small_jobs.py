"""The stages that train or draw, on small inputs: what tests of killing and of sharing run."""

import multiprocessing
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from helpers.small_settings import (
    ADVERSARIAL,
    FRECHET,
    INTERMEDIATE,
    PERCEPTUAL,
    critic_settings,
    discriminative,
    finetuning,
    rl_settings,
)
from rarl.config import Discriminative, Finetuning, Folder, Part, Precision, Prior, Rl, Vqvae
from rarl.config.stages.data import PrepareSettings
from rarl.config.stages.evaluate import RejectSettings, SampleSettings
from rarl.config.stages.train import CriticTraining, FinetuneSettings, PriorSettings, VqvaeSettings
from rarl.data.pixels import to_pixels
from rarl.metrics.extractor import Extractor
from rarl.metrics.moments import Moments
from rarl.models.codes import CodeSet, load_codes, save_codes
from rarl.models.prior import CodePrior
from rarl.models.prior_file import load_prior, save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae, save_vqvae
from rarl.rl.critics.file import save_critic
from rarl.rl.critics.pixel import PixelCritic
from rarl.rl.finetune import finetune
from rarl.rl.model_selection import OracleSelection
from rarl.rl.rewards.frechet import FrechetReward
from rarl.rl.rewards.inputs import load_reward
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.stages import critic, prepare, prior, reject, sample, vqvae
from rarl.stages import finetune as finetune_stage

Job = Callable[[Path], None]  # writes `out.safetensors` into a folder, and perhaps `log.jsonl`
CPU = torch.device("cpu")
torch.set_num_threads(1)  # as `one_thread` has it, for the processes that import this alone

# Processes of their own are forked from a clean one that has imported all this, not from the test
# runner, whose libraries' threads may hold locks.
PROCESSES = multiprocessing.get_context("forkserver")
STAGES = ("critic", "finetune", "prepare", "prior", "reject", "sample", "vqvae")
PROCESSES.set_forkserver_preload(["pytest", *(f"rarl.stages.{stage}" for stage in STAGES)])
TRAINING = (
    "vqvae",
    "sharp",
    "prior-0",
    "prior-1",
    "critic",
    "mle",
    "reinforce",
    "parts",
    "frechet",
    "discriminative",
)
OUT, LOG = "out.safetensors", "log.jsonl"
LAZY = {"loss": "logistic", "batch_size": 4, "warmup_steps": 3, "penalty_every": 3}
CRITIC = critic_settings(**LAZY, map_size=8)
CODES_CRITIC = critic_settings(**LAZY, stem_stride=1, final_size=2)
DRAWING = SampleSettings(
    prior_kinds=("pixelcnn",),
    seed=3,
    first=4,
    count=10,
    batch_size=2,
    temperature=1.0,
    top_k=0,
    precision="float32",
)
SHARP = {  # all options of the tokenizer
    "upsampling": "nearest",
    "codebook_distance": "cosine",
    "perceptual": PERCEPTUAL,
    "adversarial": ADVERSARIAL,
}
OBJECTIVES = {Finetuning: "mle", Rl: "reinforce", Discriminative: "discriminative"}
BRIEF = {"iterations": 6, "batch_size": 4, "evaluate_every": 2, "evaluate_samples": 4}


@pytest.fixture
def inputs(
    tmp_path: Path,
    vqvae_settings: Vqvae,
    make_code_prior: Callable[..., CodePrior],
    codes_of: Callable[..., CodeSet],
) -> Path:
    """A folder of what the stages read."""
    inputs = tmp_path / "inputs"
    images = inputs / "images"
    images.mkdir(parents=True)
    for n, array in enumerate(np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3))):
        Image.fromarray(array.astype(np.uint8)).save(images / f"{n}.png")
    folder = Folder(
        kind="folder", path=str(images), crop="center", max_images=None, val_fraction=0.3
    )
    prepare.run(PrepareSettings(dataset=folder, image_size=16), manifest=inputs / "manifest.json")

    torch.manual_seed(0)
    decoder = VQVAE(vqvae_settings, 2)
    decoder.train()(torch.rand(4, 3, 16, 16))  # places the codebooks
    save_vqvae(inputs / "vqvae", decoder.eval(), {})
    torch.manual_seed(1)
    of_one_grid = VQVAE(vqvae_settings, 1)
    of_one_grid.train()(torch.rand(4, 3, 16, 16))
    save_vqvae(inputs / "vqvae-one", of_one_grid.eval(), {})
    save_critic(inputs / "critic", PixelCritic(CRITIC, 3, 16, 16), {})
    for name, sides in (("one", (4,)), ("two", (2, 4))):
        save_prior(inputs / f"prior-{name}", make_code_prior(*sides), {})
        save_prior(inputs / f"oracle-{name}", make_code_prior(*sides, seed=1), {})
        sets = {"train": codes_of(20, *sides), "val": codes_of(5, *sides)}
        save_codes(inputs / f"codes-{name}", sets, {})
    return inputs


def tuning(rows: tuple[int, ...], rl: Rl | Finetuning) -> FinetuneSettings:
    return FinetuneSettings(
        prior_kinds=("pixelcnn",),
        seed=0,
        flip=False,
        objective=OBJECTIVES[type(rl)],
        rl=rl,
        rows=rows,
        temperature=1.0,
        top_k=0,
        precision="float32",
        limits={},
        extractor=None,
        source_sha256=None,
    )


def tune(inputs: Path, rl: Rl | Finetuning, out: Path, precision: Precision = "float32") -> None:
    finetune_stage.run(
        tuning((4,), rl).model_copy(update={"precision": precision}),
        selection_target=inputs / "oracle-one",
        codes=inputs / "codes-one",
        priors=[inputs / "prior-one"],
        vqvae=None,
        reward_reference=None,
        output=out / OUT,
        metrics=out / LOG,
    )


def tune_parts_of_two_grids(inputs: Path, out: Path) -> None:
    """All that `finetune` keeps in mind; model selection is a cheap one."""
    part = Part(single=0.5, top=0.5, bottom=0.5)
    patchy = CRITIC.model_copy(update={"final_size": 4})
    rl = rl_settings(**BRIEF, part=part, reward=patchy, credit=INTERMEDIATE, mle_weight=0.5)
    sets, settings = load_codes(inputs / "codes-two"), tuning((1, 2), rl)
    start, decoder = (
        load_prior(inputs / "prior-two", device=CPU),
        load_vqvae(inputs / "vqvae", CPU),
    )
    with Checkpoints(out / OUT, {}) as kept:
        tuned = finetune(
            settings,
            start,
            sets,
            decoder,
            OracleSelection(load_prior(inputs / "oracle-two", device=CPU)),
            load_reward(settings, start, decoder, None),
            log=TrainLog(out / LOG),
            checkpoints=kept,
        )
        save_prior(out / OUT, tuned, {})


class ProjectionExtractor(Extractor):
    """Means of a few random filters' answers, on a map of 2 x 2 places."""

    def __init__(self) -> None:
        weights = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)) / 14

        def maps(images: Tensor) -> Tensor:
            return F.conv2d(images / 127.5 - 1, weights.to(torch.float32), stride=8).tanh()

        super().__init__("projection", "FD", 6, "", "none", CPU, maps)


def tune_by_distance(inputs: Path, out: Path) -> None:
    """To one made of other images of the same decoder; model selection is the cheap one again."""
    rl = rl_settings(**BRIEF, reward=FRECHET, credit=INTERMEDIATE)
    sets, decoder = load_codes(inputs / "codes-one"), load_vqvae(inputs / "vqvae-one", CPU)
    extractor = ProjectionExtractor()
    target = Moments(extractor.dimension)
    target.update(extractor(to_pixels(decoder.decode(sets["train"].take(torch.arange(20), CPU)))))
    with Checkpoints(out / OUT, {}) as kept:
        tuned = finetune(
            tuning((4,), rl),
            load_prior(inputs / "prior-one", device=CPU),
            sets,
            decoder,
            OracleSelection(load_prior(inputs / "oracle-one", device=CPU)),
            FrechetReward(FRECHET, extractor, target, rl.batch_size),
            log=TrainLog(out / LOG),
            checkpoints=kept,
        )
        save_prior(out / OUT, tuned, {})


def train_critic(inputs: Path, out: Path) -> None:
    settings = CriticTraining(
        prior_kinds=("pixelcnn",),
        seed=0,
        flip=False,
        critic=CRITIC,
        steps=8,
        temperature=1.0,
        top_k=0,
        precision="float32",
        log_every=2,
        limits={},
    )
    critic.run(
        settings,
        vqvae=inputs / "vqvae",
        codes=inputs / "codes-two",
        prior=inputs / "prior-two",
        output=out / OUT,
        metrics=out / LOG,
    )


def draw_codes(inputs: Path, out: Path) -> None:
    timing = out / "seconds.json"
    sample.run(DRAWING, prior=inputs / "prior-two", output=out / OUT, timing=timing)


def draw_best(inputs: Path, out: Path) -> None:
    reject.run(
        RejectSettings(sample=DRAWING, draws=2, network="pixel"),
        vqvae=inputs / "vqvae",
        prior=inputs / "prior-two",
        critic=inputs / "critic",
        output=out / OUT,
        timing=out / "seconds.json",
    )


def train_vqvae(inputs: Path, of: Vqvae, out: Path) -> None:
    settings = VqvaeSettings(seed=0, latents=(2, 4), vqvae=of, precision="float32", limits={})
    vqvae.run(settings, data=inputs / "manifest.json", output=out / OUT, metrics=out / LOG)


def train_prior(inputs: Path, of: Prior, grid: int, out: Path) -> None:
    settings = PriorSettings(seed=0, grid=grid, prior=of, precision="float32")
    prior.run(settings, codes=inputs / "codes-two", output=out / OUT, metrics=out / LOG)


@pytest.fixture
def jobs(inputs: Path, vqvae_settings: Vqvae, prior_settings: Prior) -> dict[str, Job]:
    """Every stage that saves where it is, by name; they travel to other processes."""
    of_vqvae = vqvae_settings.model_copy(update={"steps": 8})
    of_prior = prior_settings.model_copy(update={"steps": 8})
    single = rl_settings(**BRIEF, kl_weight=0.1, start_temperature=0.8, reward=CODES_CRITIC)
    rough = partial(tune, inputs, single, precision="bfloat16")
    return {
        "vqvae": partial(train_vqvae, inputs, of_vqvae),
        "sharp": partial(train_vqvae, inputs, of_vqvae.model_copy(update=SHARP)),
        "prior-0": partial(train_prior, inputs, of_prior, 0),
        "prior-1": partial(train_prior, inputs, of_prior, 1),
        "critic": partial(train_critic, inputs),
        "mle": partial(tune, inputs, finetuning(**BRIEF)),
        "reinforce": partial(tune, inputs, single),
        "parts": partial(tune_parts_of_two_grids, inputs),
        "frechet": partial(tune_by_distance, inputs),
        "discriminative": partial(tune, inputs, discriminative(**BRIEF)),
        "bfloat16": rough,
        "draw": partial(draw_codes, inputs),
        "reject": partial(draw_best, inputs),
    }
