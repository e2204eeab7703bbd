"""Which device to compute on."""

import torch


def pick() -> torch.device:
    """The GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def name() -> str:
    """For people: the GPU's name, or the CPU and the threads in use."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} thread(s)"
