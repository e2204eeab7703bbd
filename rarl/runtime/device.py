"""Which device to compute on."""

import torch


def pick() -> torch.device:
    """The GPU when there is one, else the CPU.

    Convolutions then run in full float32, as matrix products do: a prior is scored by the first
    and drawn from by the second.
    """
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def name() -> str:
    """For people: the GPU's name, or the CPU and the threads in use."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} thread(s)"


def wait() -> None:
    """Until the GPU has done what it was told, so that a clock can be read."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
