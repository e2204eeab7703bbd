"""Which of several processes this one is, as torchrun tells it. Imports no torch."""

import os


def rank() -> int:
    """From 0; 0 for a process that is alone."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that writes files and says how far it is."""
    return rank() == 0
