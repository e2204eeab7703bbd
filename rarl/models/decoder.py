"""From codes to what a reward is given."""

from typing import Protocol

from torch import Tensor

from rarl.models.codes import Codes


class Decoder(Protocol):
    """What turns codes into what the critic sees: a VQ-VAE, or nothing but the codes."""

    channels: int
    scale: int  # rows for a row of the finest codes

    def decode(self, codes: Codes) -> Tensor: ...
