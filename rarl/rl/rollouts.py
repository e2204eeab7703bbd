"""Rollouts: images that the policy samples, whole or a part of them within real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from rarl.models.codes import Codes
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.runtime import parallel
from rarl.runtime.ranks import world_size
from rarl.sampling import sample

Rows = tuple[slice, ...]  # of each level, coarse to fine


@dataclass(frozen=True)
class Rollouts:
    """A batch of sampled images beside the real ones that give their context."""

    codes: Codes  # sampled within `rows`, the real image's elsewhere
    rows: Rows
    images: Tensor  # (B, C, h, W) the part of the decoded codes that the finest rows show
    contexts: Codes  # of the real images, each continued `repeats` times
    repeats: int
    decoder: Decoder

    @cached_property
    def real_images(self) -> Tensor:
        """(B, C, h, W) the same part of the reconstructions, decoded when first asked for."""
        with torch.no_grad():
            shown = decode_part(self.decoder, self.contexts, self.rows)
        return shown.repeat_interleave(self.repeats, 0)


def all_rows(prior: CodePrior) -> Rows:
    """All rows of each level."""
    return tuple(slice(0, side) for side in prior.sides)


def random_part(rows: Sequence[int], sides: Sequence[int]) -> Rows:
    """`rows` rows of each level at a random height, each within the coarser level's."""
    start, room, chosen = 0, sides[0], []
    for level, count in enumerate(rows):
        unit = 2**level
        start += int(torch.randint(room - count // unit + 1, ()))
        room = count // unit
        chosen.append(slice(start * unit, start * unit + count))
    return tuple(chosen)


@torch.no_grad()
def roll_out(
    policy: CodePrior,
    decoder: Decoder,
    contexts: Codes,
    rows: Rows,
    *,
    repeats: int,
    temperature: float,
    top_k: int,
) -> Rollouts:
    """Samples `rows` of each level given the real codes above them; decodes what they show.

    A finer level is sampled given the whole coarser one: its sampled rows and the context around.
    Each context, of this process's share, is continued `repeats` times, by neighbours in the batch.
    """
    real = tuple(level.repeat_interleave(repeats, 0) for level in contexts)
    numbers = torch.rand(len(real[0]) * world_size(), sum(policy.positions))
    uniforms = parallel.local_shard(numbers).to(real[0].device)
    codes = sample(policy, uniforms, temperature=temperature, top_k=top_k, context=real, rows=rows)
    images = decode_part(decoder, codes, rows)
    return Rollouts(codes, rows, images, contexts, repeats, decoder)


def decode_part(decoder: Decoder, codes: Codes, rows: Rows) -> Tensor:
    """(B, C, h, W) what the finest level's rows show, decoded without the codes around them."""
    return decoder.decode(within(codes, shown(rows)))


def within(codes: Codes, rows: Rows) -> Codes:
    """The codes in some rows of each level."""
    return tuple(level[:, part] for level, part in zip(codes, rows, strict=True))


def shown(rows: Rows) -> Rows:
    """The rows of each level that lie where the finest level's are."""
    finest, last = rows[-1], len(rows) - 1
    return tuple(
        slice(finest.start >> (last - level), finest.stop >> (last - level))
        for level in range(len(rows))
    )
