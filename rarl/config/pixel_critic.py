"""The geometry of the critic on pixels, for the check of a configuration and for the network.

It decides what is computed, so fingerprints cover this file: import it from here, not from
`rarl.config`.
"""

from typing import NamedTuple, Protocol


class Sizes(Protocol):
    """What `rarl.config.PixelCritic` says of it."""

    @property
    def stem_stride(self) -> int: ...
    @property
    def hidden_units(self) -> int: ...
    @property
    def max_units(self) -> int: ...
    @property
    def final_size(self) -> int: ...
    @property
    def map_size(self) -> int: ...


class Stage(NamedTuple):
    """A stride-2 convolution that halves height and width."""

    width: int  # of what it sees
    units: int  # channels that it gives
    scored: bool  # patches are scored on what it sees
    local: bool  # patches are still to be scored behind it


class Geometry(NamedTuple):
    stages: tuple[Stage, ...]
    height: int  # of the last features
    width: int
    units: int  # their channels


def geometry(of: Sizes, height: int, width: int) -> Geometry:
    """The stages of a critic that is shown images of this height and width, in pixels or codes.

    Height or width may become 0: the images are then too small.
    """
    height, width = height // of.stem_stride, width // of.stem_stride
    stages, units = [], of.hidden_units
    while width > of.final_size:
        units = min(2 * units, of.max_units)
        stages.append(Stage(width, units, width == of.map_size, width > of.map_size > 0))
        height, width = height // 2, width // 2
    return Geometry(tuple(stages), height, width, units)
