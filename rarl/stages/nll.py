"""Stage `nll`: how well a generator and its oracle explain each other's codes."""

from functools import reduce
from operator import add
from pathlib import Path

from rarl.config.stages.evaluate import NllSettings
from rarl.models.codes import load_codes, load_draw
from rarl.models.prior_file import load_prior
from rarl.results.nll import Nll
from rarl.runtime import device, provenance
from rarl.runtime.sample_shards import merge_shards
from rarl.train.held_out import evaluate_nll

Settings = NllSettings


def run(
    settings: NllSettings,
    *,
    oracle: Path,
    codes: Path,
    prior: Path,
    samples: list[Path],
    output: Path,
) -> None:
    """Compute the oracle's NLL of a generator's samples, and the generator's of the oracle's."""
    on = device.pick()
    oracle_prior, generator = load_prior(oracle, device=on), load_prior(prior, device=on)
    pieces = merge_shards(load_draw(path) for path in samples).values()
    draws = [reduce(add, own) for own in pieces]
    nll_oracle = [evaluate_nll(oracle_prior, draw, settings.batch_size) for draw in draws]
    held_out = load_codes(codes)["val"]
    inputs = {"oracle": oracle, "codes": codes, "prior": prior}
    Nll(
        unit="nats a code",
        count_samples=len(draws[0]),
        count_val=len(held_out),
        nll_oracle=tuple(nll_oracle),
        nll_test=evaluate_nll(generator, held_out, settings.batch_size),
        nll_oracle_of_its_own=evaluate_nll(oracle_prior, held_out, settings.batch_size),
        **provenance.describe("nll", settings, samples=samples, **inputs),
    ).write(output)
