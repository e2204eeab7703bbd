"""Table 11 at the paper's sizes: seconds to sample a batch of images' codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import torch
from torch import Tensor

from gpu_parts import sizes
from gpu_parts.result import Result, Row, timed
from rarl.config import Config, Precision
from rarl.config.stages.train import rollout_rows
from rarl.losses import kl
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.rl.rollouts import random_part
from rarl.runtime import cuda_graph
from rarl.runtime.precision import autocast
from rarl.sampling import invert, policy_log_probs, sample

METHODS = ("single", "partial", "partial_bottom")
PAPER = {"single": 102.0, "partial_bottom": 61.0}  # seconds, 16 images of 128x128
WAYS: tuple[tuple[Precision, bool], ...] = (
    ("float32", True),
    ("bfloat16", True),
    ("float32", False),
)


@torch.no_grad()
def run(config: Config) -> Result:
    of, found = config.experiments[sizes.EXPERIMENT], Result()
    prior = sizes.prior(of)
    uniforms = torch.rand(sizes.BATCH, sum(prior.positions), device=prior.device)
    context = sizes.codes(of, sizes.BATCH)
    for precision, graph in WAYS:
        with autocast(precision), without_graph(not graph):
            for _ in range(3):  # run, recorded, replayed: the last two must be right
                codes = sample(prior, uniforms, temperature=1.0, top_k=0)
            found.check(
                f"share of codes unlike the forward pass's, {named(precision, graph)}",
                unlike(prior, uniforms, codes),
                most=0.01 if precision == "float32" else 0.1,
            )
            for method in METHODS:
                rows = rollout_rows(config, sizes.EXPERIMENT, method)
                work = partial(_draw, prior, uniforms, context, rows)
                found.rows.append(_row(method, named(precision, graph), work))
    found.rows.append(_divergence(prior, context))
    return found


def named(precision: str, graph: bool) -> str:
    if not graph:
        return f"{precision}, no graph"
    return f"{precision}, CUDA graph" if torch.cuda.is_available() else precision


@contextmanager
def without_graph(really: bool) -> Iterator[None]:
    with patch.object(cuda_graph, "usable", lambda on: on.type == "cuda" and not really):
        yield


def unlike(prior: CodePrior, uniforms: Tensor, codes: Codes) -> float:
    """The share of codes that the full forward pass, given the codes before, would not choose by
    the same numbers: 0 but for rounding."""
    chosen = [
        invert(policy_log_probs(logits, 1.0, 0).flatten(0, 2), numbers.flatten())
        for logits, numbers in zip(prior(codes), uniforms.split(prior.positions, 1), strict=True)
    ]
    taken = torch.cat([level.flatten() for level in codes])
    return float((torch.cat(chosen) != taken).double().mean())


def _draw(prior: CodePrior, uniforms: Tensor, context: Codes, rows: tuple[int, ...]) -> Codes:
    part = random_part(rows, prior.sides)
    return sample(prior, uniforms, temperature=1.0, top_k=0, context=context, rows=part)


def _row(method: str, way: str, work: object) -> Row:
    torch.manual_seed(0)  # the same heights for every way
    time = timed(work, warm_up=1, repeats=3)
    return {
        "method": method,
        "way": way,
        "s": time.seconds,
        "paper, s": PAPER.get(method),
        "peak, GiB": time.gib,
    }


def _divergence(prior: CodePrior, codes: Codes) -> Row:
    """KL(float32 || bfloat16) of the next code, nats, averaged over random codes."""
    exact = prior(codes)
    with autocast("bfloat16"):
        rough = prior(codes)
    pairs = zip(exact, rough, strict=True)
    found = [
        kl(*(policy_log_probs(logits, 1.0, 0).flatten(1, 2) for logits in pair)) for pair in pairs
    ]
    mean = float(torch.cat(found, 1).mean())
    return {"method": "KL of the next code, nats", "way": "bfloat16", "KL": mean}
