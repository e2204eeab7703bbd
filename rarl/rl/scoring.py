"""What a policy step needs to know of every code that was sampled, in bounded memory."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rarl import losses
from rarl.models.codes import Codes
from rarl.models.level_prior import LevelPrior
from rarl.models.prior import CodePrior
from rarl.rl.rollouts import Rows, within
from rarl.sampling import policy_log_probs

BLOCK = 2**24  # log-probabilities in one block: 64 MiB a tensor


class CodeScores(NamedTuple):
    """Of each code that was sampled, level after level, in nats."""

    log_probs: Tensor  # (B, N) of the code itself, under the policy
    kl: Tensor  # (B, N) of the policy's distribution, given the codes before, to the reference's
    entropy: Tensor  # (B, N) of the policy's distribution; carries no gradient


def score_codes(
    policy: CodePrior,
    ref_policy: CodePrior,
    codes: Codes,
    rows: Rows,
    *,
    temperature: float,
    top_k: int,
) -> CodeScores:
    """Scores of the codes in `rows` of each level, under the policy that a sampler samples.

    The distributions, K numbers a code, exist for one block of images at a time. They are not
    kept for backward, which computes them again from the features, block by block.
    """
    features = policy.features(codes, rows)
    with torch.no_grad():
        ref_features = ref_policy.features(codes, rows)
    levels = []
    for prior, frozen, *tensors in zip(
        policy.levels.values(),
        ref_policy.levels.values(),
        features,
        ref_features,
        within(codes, rows),
        strict=True,
    ):
        images = max(1, BLOCK // (tensors[-1][0].numel() * prior.codebook_size))
        blocks = zip(*(tensor.split(images) for tensor in tensors), strict=True)
        scored = [
            checkpoint(
                _score_block,
                *(prior, frozen, *block, temperature, top_k),
                use_reentrant=False,
                preserve_rng_state=False,
            )
            for block in blocks
        ]
        levels.append(_joined(scored, 0))
    return _joined(levels, 1)


def _score_block(
    prior: LevelPrior,
    ref_prior: LevelPrior,
    features: Tensor,  # (b, h, w, C)
    ref_features: Tensor,
    codes: Tensor,  # (b, h, w)
    temperature: float,
    top_k: int,
) -> CodeScores:
    logits = prior.classify(features).flatten(1, 2)  # (b, n, K)
    log_probs = policy_log_probs(logits, temperature, top_k)
    taken = log_probs.gather(-1, codes.flatten(1).unsqueeze(-1)).squeeze(-1)  # (b, n)
    with torch.no_grad():  # of all codes: what only one of them excludes would weigh 1e4
        logits = ref_prior.classify(ref_features).flatten(1, 2)
        of_reference = policy_log_probs(logits, temperature, top_k=0)
    kl = losses.kl(log_probs, of_reference)
    return CodeScores(taken, kl, losses.entropy(log_probs.detach()))


def _joined(parts: Sequence[CodeScores], dim: int) -> CodeScores:
    return CodeScores(*(torch.cat(tensors, dim) for tensors in zip(*parts, strict=True)))
