"""Seeds derived by name, so that no stage, step or sample shares a random stream."""

import hashlib

import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed from a seed and a path of names, e.g. `derive(0, "prior", "dropout", 17)`.

    Hashing keeps streams independent: seeds 0 and 1, or steps 0 and 1, have nothing in common.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """A CPU generator seeded with `derive`; draw on the CPU for the same bits on any device."""
    return torch.Generator().manual_seed(derive(seed, *names))
