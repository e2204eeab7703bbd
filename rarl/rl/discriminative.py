"""Fine-tuning by the likelihood ratio as a discriminator (Zheng et al. 2025, arXiv 2503.01103).

A round samples a pool from the reference, a copy of the prior that stays as it is, and computes the
log-likelihoods of the pool and of all training codes under it, once. Each step then takes a batch
of both. The next round begins from the best weights so far, which are its reference, too. There is
no critic, no reward and no sampling within a round.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl import losses
from rarl.config import Discriminative
from rarl.data.batches import batch_indices, consecutive
from rarl.models.codes import Codes, CodeSet, gather
from rarl.models.prior import CodePrior
from rarl.rl.update import Run, Update
from rarl.runtime import parallel, seeds
from rarl.sampling import draw, policy_log_probs


class Compared(NamedTuple):
    """Codes, and what the reference says of them."""

    codes: CodeSet
    log_ref: Float[Tensor, " n"]  # nats an image, on the CPU


def start(run: Run) -> Update:
    learner = Ratio(run)
    return Update(learner.step, state={"ratio": learner})


class Ratio:
    """The state of a run; `step` is one update of the prior.

    The prior stays in evaluation mode: the ratio is of the distributions that are sampled.
    """

    def __init__(self, run: Run) -> None:
        assert isinstance(run.settings.rl, Discriminative)  # with this objective
        self.run, self.rl = run, run.settings.rl
        self.reference = deepcopy(run.prior).eval().requires_grad_(False)
        self.real: Compared | None = None  # of the round; None before the first
        self.fake: Compared | None = None
        self.round = 0

    def step(self, i: int) -> dict[str, Tensor]:
        """One step on a batch of real codes and one of samples of the reference."""
        rl, prior = self.rl, self.run.prior.eval()
        number = i * rl.rounds // rl.iterations
        if self.real is None or self.fake is None or number != self.round:
            self.real, self.fake = self._begin(number)
        real = self._log_ratios(self.real, "real", i)
        fake = self._log_ratios(self.fake, "pool", i)
        loss = losses.likelihood_ratio(real, fake, rl.alpha, rl.beta)
        self.run.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(prior.parameters())
        norm = nn.utils.clip_grad_norm_(prior.parameters(), rl.gradient_clip)
        self.run.optimiser.step()
        right = torch.cat((real > 0, fake < 0)).float().mean()
        return {
            "loss": loss.detach(),
            "ratio_real": real.detach().mean(),
            "ratio_fake": fake.detach().mean(),
            "accuracy": right,
            "gradient_norm": norm,
        }

    def _begin(self, number: int) -> tuple[Compared, Compared]:
        """A round: a later one starts from the best weights, which are its reference."""
        run = self.run
        if number > self.round:
            run.prior.load_state_dict(run.kept.weights)
            self.reference.load_state_dict(run.kept.weights)
            run.average.restart(run.prior)
            run.optimiser.state.clear()
        self.round = number
        pool = parallel.broadcast_from_rank0(self._sample)
        return self._compared(run.train), self._compared(pool)

    def _sample(self) -> CodeSet:
        settings = self.run.settings
        batches = draw(
            self.reference,
            seeds.derive(settings.seed, "discriminative", "pool", self.round),
            self.rl.pool,
            self.rl.batch_size,
            temperature=settings.temperature,
            top_k=0,  # the ratio is of whole distributions
        )
        return gather(batches, self.reference.codebook_size)

    @torch.no_grad()
    def _compared(self, codes: CodeSet) -> Compared:
        batches = consecutive(len(codes), self.rl.batch_size)
        device = self.reference.device
        found = [self._log_likelihood(self.reference, codes.take(of, device)) for of in batches]
        return Compared(codes, torch.cat(found).cpu())

    def _log_ratios(self, of: Compared, name: str, i: int) -> Float[Tensor, " b"]:
        """log p - log p_ref of a batch, nats an image, of this process's share."""
        order = seeds.derive(self.run.settings.seed, "discriminative", name, self.round)
        batch = batch_indices(len(of.codes), self.rl.batch_size, order, i)
        indices = parallel.local_shard(batch)
        prior = self.run.prior
        log_ref = of.log_ref[indices].to(prior.device)
        return self._log_likelihood(prior, of.codes.take(indices, prior.device)) - log_ref

    def _log_likelihood(self, prior: CodePrior, codes: Codes) -> Float[Tensor, " b"]:
        """Nats an image, of the distribution that is sampled."""
        total = torch.zeros(len(codes[0]), device=prior.device)
        for logits, level in zip(prior(codes), codes, strict=True):
            log_probs = policy_log_probs(logits, self.run.settings.temperature, top_k=0)
            taken = log_probs.gather(-1, level.unsqueeze(-1))
            total = total + taken.flatten(1).sum(1)
        return total

    def state_dict(self) -> dict[str, Any]:
        state = {"round": self.round, "reference": self.reference.state_dict()}
        if self.real is None or self.fake is None:
            return state
        pool = {"pool": list(self.fake.codes.grids), "log_ref_pool": self.fake.log_ref}
        return {**state, **pool, "log_ref_real": self.real.log_ref}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.round = state["round"]
        self.reference.load_state_dict(state["reference"])
        if "pool" in state:
            pool = CodeSet(tuple(state["pool"]), self.reference.codebook_size)
            self.fake = Compared(pool, state["log_ref_pool"])
            self.real = Compared(self.run.train, state["log_ref_real"])
