"""How far rows of features lie from the nearest of others, in bounded memory."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

BLOCK = 2_000  # rows of either side that are compared at once: 32 MB of distances


def nearest_distances(
    rows: Float[Tensor, "n d"], among: Float[Tensor, "m d"]
) -> Float64[Tensor, " n"]:
    """Euclidean distance of each row to its nearest neighbour in `among`.

    The neighbour is found by |a|^2 + |b|^2 - 2 ab, in float64; its distance is that of the
    difference itself, so that equal rows are at exactly 0. Memory beside the arguments is that of
    a block, whatever n and m are. Raises `ValueError` when `among` is empty.
    """
    if not len(among):
        raise ValueError("no rows among which to look for the nearest")
    return torch.cat([_of_block(block, among) for block in rows.split(BLOCK)])


def _of_block(rows: Float[Tensor, "n d"], among: Float[Tensor, "m d"]) -> Float64[Tensor, " n"]:
    x = rows.double()
    lowest = x.new_full((len(x),), torch.inf)  # |b|^2 - 2 ab: |a|^2 changes no order
    where = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    start = 0
    for part in among.split(BLOCK):
        y = part.double()
        found, index = (y.square().sum(1) - 2 * x @ y.T).min(1)
        better = found < lowest
        lowest = torch.where(better, found, lowest)
        where = torch.where(better, index + start, where)
        start += len(y)
    return (x - among[where].double()).norm(dim=1)
