"""Stage `oracle_codes`: an oracle prior to grids of codes that take the place of the data."""

from pathlib import Path

from rarl.config.stages.data import OracleCodesSettings
from rarl.models.codes import gather, save_codes
from rarl.models.prior_file import load_prior
from rarl.runtime import device, provenance, seeds
from rarl.runtime.progress import track
from rarl.sampling import draw

Settings = OracleCodesSettings


def run(settings: OracleCodesSettings, *, oracle: Path, output: Path) -> None:
    """Draw training and validation codes from the oracle."""
    model, size = load_prior(oracle, device=device.pick()), settings.batch_size
    sets = {}
    for name, count in (("train", settings.train), ("val", settings.val)):
        seed = seeds.derive(settings.seed, "oracle", name)
        batches = draw(model, seed, count, size, temperature=1.0, top_k=0)
        shown = track(batches, -(-count // size), f"oracle {name}", "batch")
        sets[name] = gather(shown, model.codebook_size)
    save_codes(output, sets, provenance.describe("oracle_codes", settings, oracle=oracle))
