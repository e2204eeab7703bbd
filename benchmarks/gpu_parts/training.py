"""Training of VQ-VAE and priors, and RL, at the paper's sizes: images a second, share of the peak.

With the largest batch up to the paper's that is counted to fit into the memory. Peaks are of the
tensors, beside those that `benchmarks/scale.py` counts.
"""

from collections.abc import Callable
from functools import partial

import torch
from partial import new_learner
from scale import (
    FLOAT,
    ROOM,
    Cost,
    codes_of,
    cost,
    count,
    critic_pass,
    policy_pass,
    prior_pass,
    vqvae_pass,
)
from timing import Product, seconds
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from gpu_parts import sizes
from gpu_parts.result import Result, forget_peak, timed
from rarl.config import Config, Precision
from rarl.losses import nll
from rarl.models.prior import CodePrior, new_prior
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.rl.rewards.critic import CriticTrainer
from rarl.runtime import device
from rarl.runtime.precision import autocast
from rarl.train.adam import adam
from rarl.train.prior import maximise_likelihood

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
COPIES = 4  # weights, gradients, Adam's two moments
RL_COPIES = 6  # and the reference policy, and what a recording reads
STEPS = 3
Compile = Callable[[nn.Module], None]


def peak_rate(precision: Precision) -> float:
    """FLOP/s of a product of two square matrices."""
    product = Product(8192 if torch.cuda.is_available() else 512, getattr(torch, precision))
    return product.flops / seconds(product)[0]


def fitting(paper: int, of: Cost, held: float) -> int:
    """The paper's batch, halved until what is counted fits."""
    if not torch.cuda.is_available():
        return paper
    room = ROOM * torch.cuda.get_device_properties(0).total_memory - held
    batch = paper
    while batch > 2 and batch * of.saved > room:
        batch //= 2
    return batch


def measure(
    found: Result, name: str, step: Callable[[], object], of: Cost | None, held: float, batch: int
) -> None:
    """A row for each precision; `of` None: not counted."""
    for precision in PRECISIONS:
        with autocast(precision):
            time = timed(step, warm_up=2, repeats=STEPS)
        reached = of and of.flops * batch / time.seconds / peak_rate(precision)
        found.rows.append(
            {
                "model": name,
                "precision": precision,
                "batch": batch,
                "images / s": batch / time.seconds,
                "of peak FLOP/s": reached,
                "first step, s": time.first,
                "peak, GiB": time.gib,
                "counted in float32, GiB": of and (held + of.saved * batch) / 2**30,
            }
        )
        forget_peak()


def vqvae(config: Config, compiled: Compile | None = None) -> Result:
    of, found, on = config.experiments[sizes.EXPERIMENT], Result(), device.pick()
    toy_vqvae(found)
    torch.manual_seed(0)
    model = VQVAE(of.vqvae, len(of.latents))
    work, held = cost(vqvae_pass(of, model), model), COPIES * FLOAT * count(model)
    model = VQVAE(of.vqvae, len(of.latents)).to(on).train()
    if compiled:
        compiled(model)
    batch = fitting(of.vqvae.batch_size, work, held)
    images = torch.rand(batch, 3, of.image_size, of.image_size, device=on) * 2 - 1
    optimiser = adam(model.parameters(), of.vqvae.learning_rate)

    def step() -> Tensor:
        loss = vqvae_loss(images, model(images), of.vqvae.beta)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()

    measure(found, "VQ-VAE", step, work, held, batch)
    return found


def toy_vqvae(found: Result) -> None:
    toy = sizes.config(small=True).experiments[sizes.EXPERIMENT]
    torch.manual_seed(0)
    images = torch.rand(4, 3, toy.image_size, toy.image_size) * 2 - 1
    small = VQVAE(toy.vqvae, len(toy.latents)).train()
    small(images)  # places the codebooks, which are then left alone
    small.eval()
    like_the_cpu(
        found,
        "VQ-VAE",
        small,
        lambda on: vqvae_loss(images.to(on), small(images.to(on)), toy.vqvae.beta)["loss"],
    )


def priors(config: Config, compiled: Compile | None = None) -> Result:
    of, found = config.experiments[sizes.EXPERIMENT], Result()
    toy = sizes.config(small=True).experiments[sizes.EXPERIMENT]
    small, codes = sizes.prior(toy), sizes.codes(toy, 4)

    def loss(on: torch.device) -> Tensor:
        here = tuple(level.to(on) for level in codes)
        return nll(small(here), here)

    like_the_cpu(found, "priors", small, loss)
    for level, name in enumerate(of.grids):
        with FakeTensorMode():
            alone = CodePrior({level: new_prior(of).levels[level]})
            work = cost(prior_pass(of, alone), alone)
        held, own = COPIES * FLOAT * count(alone), of.prior.of(name)
        model = CodePrior({level: sizes.prior(of).levels[level]}).eval()
        if compiled:
            like_before(found, model, sizes.codes(of, 2), compiled)
        batch = fitting(own.batch_size, work, held)
        codes, optimiser = sizes.codes(of, batch), adam(model.parameters(), own.learning_rate)
        step = partial(maximise_likelihood, model, optimiser, codes, own.gradient_clip)
        measure(found, f"prior, {name}", step, work, held, batch)
    return found


def like_the_cpu(found: Result, name: str, toy: nn.Module, loss: Callable[..., Tensor]) -> None:
    """A small model's loss and gradients here against those on the CPU."""
    results = []
    for on in (torch.device("cpu"), device.pick()):
        toy.to(on).zero_grad()
        value = loss(on)
        value.backward()
        gradients = [p.grad.flatten().cpu() for p in toy.parameters() if p.grad is not None]
        results.append(torch.cat([value.detach().cpu().view(1), *gradients]))
    found.check(f"{name}: loss and gradients, from the CPU's", apart(*results), most=1e-3)


@torch.no_grad()
def like_before(
    found: Result, model: CodePrior, codes: tuple[Tensor, ...], compiled: Compile
) -> None:
    """Compiles; features of some codes then and before."""
    before = model.features(codes)
    for part in model.levels.values():
        compiled(part)
    for pair in zip(model.features(codes), before, strict=True):
        found.check("compiled features, from the others", apart(*pair), most=1e-3)


def apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def rl(config: Config, compiled: Compile | None = None) -> Result:
    of, found = config.experiments[sizes.EXPERIMENT], Result()
    with FakeTensorMode():
        prior = new_prior(of)
        policy = cost(policy_pass(config, sizes.EXPERIMENT, prior), prior)
        with torch.no_grad():  # sampling, as one pass
            drawn = cost(lambda: prior(codes_of(of))).flops
    settings = of.rl.rewards.critic.pixel
    trainer = CriticTrainer(settings, 3, of.image_size, of.image_size, torch.device("cpu"))
    critic = cost(critic_pass(of, trainer), trainer.critic)
    work = Cost(
        policy.flops + drawn + settings.steps * critic.flops, max(policy.saved, critic.saved)
    )
    held = FLOAT * (RL_COPIES * count(prior) + 5 * count(trainer.critic))
    batch = fitting(of.rl.batch_size, work, held)
    rewards = {"critic": {"pixel": {"batch_size": batch}}}
    smaller = sizes.changed(config, {"rl": {"batch_size": batch, "rewards": rewards}})
    for method in ("single", "partial"):
        learner = new_learner(smaller, sizes.EXPERIMENT, method)
        figures = learner.step(0)
        found.check(f"KL of the first policy, {method}", abs(float(figures["kl"])), most=1e-3)
        if compiled:
            for part in learner.policy.levels.values():
                compiled(part)
        counted = work if method == "single" else None  # of all rows
        measure(found, f"RL, {method}", partial(learner.step, 1), counted, held, batch)
        del learner
        forget_peak()
    return found
