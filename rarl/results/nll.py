"""Negative log-likelihoods of an oracle experiment. Imports no torch."""

from rarl.config import Count
from rarl.results.result import Result


class Nll(Result):
    """How well a generator and its oracle explain each other's codes."""

    unit: str
    count_samples: Count  # code grids for each sampling seed
    count_val: Count  # held-out code grids of the oracle
    nll_oracle: tuple[float, ...]  # the oracle's, of a sample of the generator for each seed
    nll_test: float  # the generator's, of the held-out codes
    nll_oracle_of_its_own: float  # the oracle's, of the held-out codes
