"""What the experiments of a configuration cost: computation, memory and disk, stage by stage.

    python benchmarks/scale.py config/paper.yaml lsun-bedroom-64-16 --tflops 10
    python benchmarks/scale.py config/paper.yaml lsun-bedroom-64-16 --measure

Nothing is trained. FLOPs, and the bytes that autograd keeps for backward, are counted in a pass of
each model over two images, in float32: the priors' with tensors that have a shape and no content,
the others' for real. A multiplication and an addition are 2 FLOPs. The products of attention
itself, under 2% of a prior's, are not counted, nor are validation and held-out draws.

Hours are FLOPs over `--tflops`, a rate that is ASSUMED. Draws take at least `--launch` for each
operation that the host starts; the operations are counted, the time is ASSUMED. `--measure` gives
the rates of one core of this machine instead: the only ones here that are measured.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

import torch
from timing import Arithmetic
from torch import Tensor, nn
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode

from rarl.config import CelebA, Config, Critic, Dataset, Experiment, Rl, load
from rarl.config.stages.features import ExtractorSettings
from rarl.config.stages.train import FinetuneSettings
from rarl.losses import nll
from rarl.metrics.extractors import load_extractor
from rarl.models.codes import Codes, CodeSet
from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior, new_prior, stack
from rarl.models.scores import Scores
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.rl.advantages import AdvantageEstimator
from rarl.rl.reinforce import Reinforce
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rewards.source import RewardSource
from rarl.rl.rollouts import Rollouts, all_rows
from rarl.runtime.checkpoints import KEEP
from rarl.sampling import sample
from rarl.train.adam import adam

METHOD = "single"  # whose settings RL is counted with
BATCH = 2  # images in a counted pass: REINFORCE's baseline needs two
FLOAT, CODE = 4, 2  # bytes of a float32, and of a code on disk
ROOM = 0.9  # of a GPU's memory; the rest is for cuDNN's workspaces and fragments
CPU = torch.device("cpu")

TRAINING_IMAGES = {  # of each kind of data set and split, before `val_fraction`
    "lsun": 3_033_042,  # bedroom_train_lmdb
    "celeba official": 162_770,  # list_eval_partition.txt, partition 0
    "celeba all": 202_599,
    "celeba_hq": 30_000,
    "openmoji": 4_495,
}


class Copies(NamedTuple):
    """Of trained weights."""

    held: int  # weights, gradients, Adam's two moments; averages, the best, the frozen prior
    saved: int  # in a checkpoint


VQVAE_COPIES, PRIOR_COPIES = Copies(4, 3), Copies(6, 5)
POLICY_COPIES, CRITIC_COPIES = Copies(7, 5), Copies(5, 4)


class Cost(NamedTuple):
    """Of a pass, an image."""

    flops: float
    saved: float  # bytes kept for backward, beside the weights


@dataclass(frozen=True)
class Stage:
    name: str
    flops: float  # an image
    images: float  # in all
    launches: float = 0.0  # operations in all, of draws
    parameters: int = 0  # that are trained
    batch: int = 0  # images in a step; 0 where nothing is trained
    saved: float = 0.0  # bytes an image
    held: float = 0.0  # bytes of the weights and their copies
    checkpoint: float = 0.0  # bytes

    def bytes_on(self, gpus: int) -> float:
        """On each of some GPUs that share every batch."""
        return self.held + self.saved * self.batch / gpus

    def gpus(self, memory: float) -> int | None:
        """The fewest, of so many bytes, that can share the batch; None: however many, too few."""
        shares = (n for n in range(1, self.batch + 1) if self.batch % n == 0)
        return next((n for n in shares if self.bytes_on(n) <= ROOM * memory), None)

    def hours(self, rate: float, launch: float) -> float:
        """At `rate` FLOP/s, and `launch` seconds an operation."""
        return max(self.flops * self.images / rate, self.launches * launch) / 3600


def training(
    name: str, of: Cost, steps: int, batch: int, *models: tuple[nn.Module, Copies]
) -> Stage:
    sizes = [(FLOAT * count(model), copies) for model, copies in models]
    return Stage(
        name,
        of.flops,
        steps * batch,
        parameters=sum(count(model) for model, _ in models),
        batch=batch,
        saved=of.saved,
        held=sum(size * copies.held for size, copies in sizes),
        checkpoint=sum(size * copies.saved for size, copies in sizes),
    )


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


# ---------------------------------------------------------------------------- counting


class Counted(Arithmetic):
    """FLOPs, and operations that a GPU would be told: all but views."""

    operations = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Called by torch for every operation, in the place of it."""
        self.operations += not func.is_view
        return super().__torch_dispatch__(func, types, args, kwargs)


def cost(work: Callable[[], object], *models: nn.Module, images: int = BATCH) -> Cost:
    """`models`: whose weights do not count as saved."""
    weights = {p.untyped_storage()._cdata for model in models for p in model.parameters()}
    saved: dict[int, Any] = {}  # by storage: what is saved twice is held once

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with (
        Counted() as counted,
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
    ):
        work()
    held = sum(storage.nbytes() for key, storage in saved.items() if key not in weights)
    return Cost(counted.flops / images, held / images)


def codes_of(of: Experiment, batch: int = BATCH) -> Codes:
    return tuple(torch.zeros(batch, side, side, dtype=torch.long) for side in of.latents)


def images_of(of: Experiment) -> Tensor:
    return torch.rand(BATCH, 3, of.image_size, of.image_size)


def vqvae_pass(of: Experiment, model: VQVAE) -> Callable[[], None]:
    images = images_of(of)

    def work() -> None:
        vqvae_loss(images, model(images), of.vqvae.beta)["loss"].backward()

    return work


def prior_pass(of: Experiment, prior: CodePrior) -> Callable[[], None]:
    codes = codes_of(of)
    return lambda: nll(prior(codes), prior.own(codes)).backward()


def critic_pass(of: Experiment, trainer: CriticTrainer) -> Callable[[], object]:
    real, fake = images_of(of), images_of(of)
    return lambda: trainer.update(real, fake)


class NoReward(RewardSource):
    """The critic is counted by itself."""

    def score(self, images: Tensor) -> Scores:
        return Scores(images, None)


def policy_pass(
    config: Config, experiment: str, prior: CodePrior, batch: int = BATCH
) -> Callable[[], object]:
    """A step of the policy on rollouts, with the reference policy's pass."""
    of, settings = (
        config.experiments[experiment],
        FinetuneSettings.from_config(config, experiment, METHOD),
    )
    assert isinstance(settings.rl, Rl)
    rl = settings.rl.model_copy(update={"mle_weight": 0.0})  # a pass of its own
    learner = Reinforce(
        settings=rl,
        rows=settings.rows,
        policy=prior.eval(),
        ref_policy=prior,
        decoder=VQVAE(of.vqvae, len(of.latents)),
        reward=NoReward(),
        advantages=AdvantageEstimator(rl, prior.device),
        optimiser=adam(prior.parameters(), rl.learning_rate),
        train=CodeSet(codes_of(of), of.vqvae.codebook_size),
        seed=of.seed,
        temperature=settings.temperature,
        top_k=settings.top_k,
    )
    codes, scores = codes_of(of, batch), torch.zeros(batch)
    shown = OneHot(of.vqvae.codebook_size)
    rollouts = Rollouts(codes, all_rows(prior), scores, codes, 1, shown)
    return lambda: learner.update(rollouts, 0)


def feature_flops(config: Config, experiment: str) -> float:
    settings = ExtractorSettings.from_config(config, experiment)
    if settings.name == "inception":  # without the weights of the FID's, which may be missing
        import torchvision  # noqa: PLC0415 - nothing else needs it

        network = torchvision.models.inception_v3(aux_logits=False, init_weights=False).eval()
        return cost(lambda: network(torch.zeros(1, 3, 299, 299)), images=1).flops
    extractor = load_extractor(settings, CPU)
    return cost(lambda: extractor(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)), images=1).flops


def operations(of: Experiment) -> int:
    """To draw one batch, of any size. They depend on the priors' depth and not on their width."""
    width = {"hidden_units": 8, "residual_units": 8, "attention_heads": 1}
    settings = [of.prior.of(grid).model_copy(update=width) for grid in of.grids]
    prior = stack(settings, of.latents, of.vqvae.codebook_size).eval()
    context, uniforms = codes_of(of, 1), torch.zeros(1, sum(prior.positions))

    def drawing(rows: list[int]) -> int:
        with Counted() as counted:
            sample(
                prior,
                uniforms,
                temperature=1.0,
                top_k=0,
                context=context,
                rows=[slice(0, n) for n in rows],
            )
        return counted.operations

    grids = range(len(of.latents))
    none = drawing([0 for _ in grids])  # what it takes to begin
    row = [drawing([int(grid == one) for grid in grids]) - none for one in grids]
    return none + sum(n * side for n, side in zip(row, of.latents, strict=True))


# ------------------------------------------------------------------------------ stages


def stages(config: Config, experiment: str, images: int) -> list[Stage]:
    """`images`: of the training split."""
    of = config.experiments[experiment]
    model = VQVAE(of.vqvae, len(of.latents))
    learning = cost(vqvae_pass(of, model), model)
    model.eval()
    with torch.no_grad():
        encode = cost(lambda: model.encode(images_of(of))).flops
        decode = cost(lambda: model.decode(codes_of(of))).flops
        features = decode + feature_flops(config, experiment)
    draws = of.sampling.count * len(of.sampling.seeds)
    return [
        training("vqvae", learning, of.vqvae.steps, of.vqvae.batch_size, (model, VQVAE_COPIES)),
        Stage("codes", encode, (1 + of.prior.flip) * images),
        Stage("reference", features, images),
        *prior_stages(config, experiment, decode),
        Stage("features", features, draws),
    ]


def prior_stages(config: Config, experiment: str, decode: float) -> list[Stage]:
    """Every grid's prior, the row MLE, RL, draws; `decode`: FLOPs an image."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, METHOD)
    assert isinstance(rl, Rl)
    assert isinstance(rl.reward, Critic)
    with FakeTensorMode():
        prior = new_prior(of)
        parts = [CodePrior({grid: part}) for grid, part in prior.levels.items()]
        each = [cost(prior_pass(of, part), part) for part in parts]
        mle = cost(prior_pass(of, prior), prior)
        policy = cost(policy_pass(config, experiment, prior), prior)
        with torch.no_grad():  # the sampler's caches spare all but the FLOPs of one pass
            drawn = cost(lambda: prior(codes_of(of))).flops
    trainer = CriticTrainer(rl.reward, 3, of.image_size, of.image_size, CPU)
    critic = cost(critic_pass(of, trainer), trainer.critic)
    share = rl.reward.steps * rl.reward.batch_size / rl.batch_size
    learning = Cost(
        policy.flops + (mle.flops if rl.mle_weight else 0) + share * critic.flops,
        max(policy.saved, critic.saved),
    )
    warmup, starts, sampling = rl.reward.warmup_steps, operations(of), of.sampling
    seeds, of_grid = len(sampling.seeds), [of.prior.of(name) for name in of.grids]
    models = (prior, POLICY_COPIES), (trainer.critic, CRITIC_COPIES)
    return [
        *(
            training(f"prior {name}", work, own.steps, own.batch_size, (part, PRIOR_COPIES))
            for name, work, own, part in zip(of.grids, each, of_grid, parts, strict=True)
        ),
        training("finetune mle", mle, rl.iterations, rl.batch_size, (prior, PRIOR_COPIES)),
        Stage(
            "RL, rollouts",
            drawn + 2 * decode,  # of what is drawn, and of real codes
            rl.iterations * rl.batch_size + warmup * rl.reward.batch_size,
            launches=(rl.iterations + warmup) * starts,
        ),
        training("RL, learning", learning, rl.iterations, rl.batch_size, *models),
        Stage(
            "draw",
            drawn,
            seeds * sampling.count,
            launches=seeds * ceil(sampling.count / sampling.batch_size) * starts,
        ),
    ]


def training_images(dataset: Dataset, given: int | None) -> int:
    kind = f"{dataset.kind} {dataset.split}" if isinstance(dataset, CelebA) else dataset.kind
    known = given or TRAINING_IMAGES.get(kind)
    if known is None:
        raise SystemExit(f"how many images has a data set of kind {dataset.kind}? --images N")
    kept = min(known, dataset.max_images or known)
    return round(kept * (1 - (getattr(dataset, "val_fraction", None) or 0.0)))


# ------------------------------------------------------------------------------ output


def show(config: Config, experiment: str, images: int, options: argparse.Namespace) -> None:
    print(
        f"\n{experiment}: {images:,} training images\n"
        f"{'stage':20} {'parameters':>11} {'GFLOP/pict.':>11} {'MiB/pict.':>9} {'batch':>5}"
        f" {'GiB':>6} {'GPUs':>4} {'PFLOP':>10} {'hours':>8} {'10^6 op.':>8}"
    )
    checkpoint = 0.0
    for stage in stages(config, experiment, images):
        parameters, memory = "", ""
        if stage.batch:
            gpus = stage.gpus(options.memory * 2**30)
            parameters = f"{stage.parameters:,}"
            memory = (
                f"{stage.saved / 2**20:9.1f} {stage.batch:5}"
                f" {stage.bytes_on(1) / 2**30:6.1f} {gpus or 'none':>4}"
            )
        print(
            f"{stage.name:20} {parameters:>11} {stage.flops / 1e9:11.2f} {memory:27}"
            f" {stage.flops * stage.images / 1e15:10,.1f}"
            f" {stage.hours(options.tflops * 1e12, options.launch * 1e-6):8,.2f}"
            f" {stage.launches / 1e6 or '':>8.4}"
        )
        checkpoint = max(checkpoint, stage.checkpoint)
    show_disk(config, experiment, images, checkpoint)


def show_disk(config: Config, experiment: str, images: int, checkpoint: float) -> None:
    of = config.experiments[experiment]
    codes, drawn = CODE * sum(side**2 for side in of.latents), of.sampling.count
    drawn *= len(of.sampling.seeds)
    dimension = 2048 if of.evaluation.extractors[0] == "inception" else 1280
    for name, size in {
        f"images, {3 * of.image_size**2:,} bytes each": 3 * of.image_size**2 * images,
        f"codes, {codes:,} bytes each": (1 + of.prior.flip) * codes * images,
        "draws of a method": codes * drawn,
        f"their features, {FLOAT * dimension:,} bytes each": FLOAT * dimension * drawn,
        f"largest state folder: {KEEP} checkpoints, and one while it is written": (KEEP + 1)
        * checkpoint,
    }.items():
        print(f"  disk: {size / 1e9:8.2f} GB {name}")


def measure(config: Config, experiment: str) -> None:
    """Rates of forward and backward on one core, the better of two passes."""
    of = config.experiments[experiment]
    rl = config.finetuning(experiment, METHOD)
    assert isinstance(rl, Rl)
    assert isinstance(rl.reward, Critic)
    vqvae, prior = VQVAE(of.vqvae, len(of.latents)), new_prior(of)
    trainer = CriticTrainer(rl.reward, 3, of.image_size, of.image_size, CPU)
    works = {"vqvae": vqvae_pass(of, vqvae), "critic": critic_pass(of, trainer)}
    for grid, name in enumerate(of.grids):
        works[f"prior {name}"] = prior_pass(of, CodePrior({grid: prior.levels[grid]}))
    for name, work in works.items():
        flops, seconds = cost(work).flops * BATCH, []
        for _ in range(2):
            start = time.process_time()  # whatever else this machine does
            work()
            seconds.append(time.process_time() - start)
        print(
            f"{experiment} {name:14} {flops / 1e9:9.2f} GFLOP {min(seconds):7.2f} s"
            f" {flops / min(seconds) / 1e9:7.1f} GFLOP/s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("experiments", nargs="*", help="default: all, but those with an oracle")
    parser.add_argument("--tflops", type=float, default=10.0, help="assumed, sustained, float32")
    parser.add_argument("--launch", type=float, default=10.0, help="assumed, microseconds")
    parser.add_argument("--memory", type=float, default=80.0, help="of a GPU, GiB")
    parser.add_argument("--images", type=int, help="in the data set; default: as published")
    parser.add_argument("--measure", action="store_true", help="rates of one core, nothing else")
    options = parser.parse_args()
    config = load(options.config)
    torch.set_num_threads(1)
    names = options.experiments or [n for n, of in config.experiments.items() if not of.oracle]
    if not options.measure:
        print(
            f"Assumed, not measured: {options.tflops:g} TFLOP/s sustained, {options.launch:g} us"
            f" an operation. GiB: on one GPU at the whole batch.\nGPUs: fewest of"
            f" {options.memory:g} GiB that can share the batch, {1 - ROOM:.0%} of them kept free."
        )
    for name in names:
        if options.measure:
            measure(config, name)
        else:
            dataset = config.datasets[config.experiments[name].dataset]
            show(config, name, training_images(dataset, options.images), options)


if __name__ == "__main__":
    main()
