"""A gated PixelCNN over one grid of codes, in raster order.

Two streams keep the field of view free of the blind spot of masked convolutions (van den Oord et
al. 2016, arXiv 1606.05328): `v` at a position has seen the rows above it, `h` those and the codes
to its left in its row. Residual gated blocks and the output stack follow PixelCNN++ (Salimans et
al. 2017, arXiv 1701.05517), the causal attention blocks PixelSNAIL (Chen et al. 2017,
arXiv 1712.09763). `rarl.models.pixelcnn_sampler` evaluates the same network position by position.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rarl.config import PixelCnn
from rarl.models.level_prior import ALL_ROWS, LevelPrior
from rarl.runtime.precision import forward_fp32, upcast


class GatedLayer(nn.Module):
    """One masked residual layer of both streams.

    `conv_v` sees the row itself and the filter//2 rows above of a stream that is already shifted
    down by one row; `conv_h` sees the position itself and filter//2 to its left of a stream that
    is already shifted right. The mask is the shape of the filters: nothing is multiplied by zero.
    """

    def __init__(self, hidden: int, residual: int, filter_size: int, dropout: float) -> None:
        super().__init__()
        self.reach = filter_size // 2
        self.conv_v = nn.Conv2d(hidden, residual, (self.reach + 1, filter_size))
        self.gate_v = nn.Conv2d(residual, 2 * hidden, 1)
        self.conv_h = nn.Conv2d(hidden, residual, (1, self.reach + 1))
        self.link = nn.Conv2d(hidden, residual, 1)  # from v to h
        self.gate_h = nn.Conv2d(residual, 2 * hidden, 1)
        self.dropout = nn.Dropout(dropout)
        for gate in (self.gate_v, self.gate_h):  # start as the identity: deep stacks train
            nn.init.zeros_(gate.weight)
            nn.init.zeros_(gate.bias)  # type: ignore[arg-type]
            nn.init.kaiming_uniform_(gate.weight[hidden:], a=5**0.5)

    def forward(self, v: Tensor, h: Tensor, skip: int = 0) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) each; `v` may begin above `h`. Leaves the first `skip` rows of `v` out.

        Above `v` lies the border of zeros, or else rows that `skip` = `reach` makes needless.
        """
        v = self.next_v(v, skip)
        return v, self.next_h(v, h)

    def next_v(self, v: Tensor, skip: int = 0) -> Tensor:
        """As `forward`, the stream that needs no other."""
        p = self.reach
        u = self.conv_v(F.pad(F.relu(v), (p, p, p - skip, 0)))
        return v[:, :, skip:] + F.glu(self.gate_v(self.dropout(F.relu(u))), 1)

    def next_h(self, v: Tensor, h: Tensor) -> Tensor:
        """As `forward`, given what `next_v` made of `v`."""
        seen = self.link(F.relu(v[:, :, v.shape[2] - h.shape[2] :]))
        u = self.conv_h(F.pad(F.relu(h), (self.reach, 0))) + seen
        return h + F.glu(self.gate_h(self.dropout(F.relu(u))), 1)


class CausalAttention(nn.Module):
    """Self-attention of the h stream over this and all earlier positions.

    Keys and values also see the embedding of the code just before their position, so that every
    earlier code can be attended to directly.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(hidden)
        self.query = nn.Linear(hidden, hidden)
        self.key_value = nn.Linear(2 * hidden, 2 * hidden)
        self.out = nn.Linear(hidden, hidden)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def project(self, h: Tensor, previous: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, heads, N, C / heads) of N positions (B, N, C)."""
        x = self.norm(h)
        key, value = self.key_value(torch.cat((x, previous), -1)).chunk(2, -1)
        return self._split(self.query(x)), self._split(key), self._split(value)

    def merge(self, attended: Tensor) -> Tensor:
        """(B, heads, N, C / heads) to the residual (B, N, C)."""
        return self.out(attended.transpose(1, 2).flatten(2))

    def forward(self, h: Tensor, previous: Tensor) -> Tensor:
        """(B, N, C) each."""
        attended = F.scaled_dot_product_attention(*self.project(h, previous), is_causal=True)
        return h + self.merge(attended)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class OutputLayer(nn.Module):
    """A gated residual layer of 1x1 convolutions."""

    def __init__(self, hidden: int, residual: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Linear(hidden, residual)
        self.gate = nn.Linear(residual, 2 * hidden)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.gate.weight[:hidden])
        nn.init.zeros_(self.gate.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C)."""
        return x + F.glu(self.gate(self.dropout(F.relu(self.enter(F.relu(x))))), -1)


class Conditioning(nn.Module):
    """The next coarser grid, whole, to features at twice its side: residual convolutions."""

    def __init__(self, settings: PixelCnn, side: int, codebook_size: int) -> None:
        super().__init__()
        hidden = settings.hidden_units
        self.embedding = nn.Embedding(codebook_size, hidden)
        self.position = nn.Parameter(torch.zeros(hidden, side, side))
        self.layers = nn.Sequential(
            *(
                ConditioningLayer(hidden, settings.residual_units, settings.dropout)
                for _ in range(settings.conditioning_stack_layers)
            )
        )
        self.enlarge = nn.ConvTranspose2d(hidden, hidden, 2, 2)

    def forward(
        self, codes: Int[Tensor, "b h w"], rows: slice = ALL_ROWS
    ) -> Float[Tensor, "b c rows width"]:
        """The features of some `rows` of the finer grid, from the coarse rows that they see."""
        first, last, _ = rows.indices(2 * codes.shape[1])
        begin, end = first // 2, (last + 1) // 2  # of the coarse rows that become these
        top = max(0, begin - len(self.layers))  # a layer sees one row further
        seen = slice(top, end + len(self.layers))
        embedded = self.embedding(codes[:, seen]).permute(0, 3, 1, 2) + self.position[:, seen]
        x = self.layers(embedded)[:, :, begin - top : end - top]
        return self.enlarge(F.relu(x))[:, :, first - 2 * begin : last - 2 * begin]


class ConditioningLayer(nn.Module):
    """A gated residual layer that sees in all directions."""

    def __init__(self, hidden: int, residual: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(hidden, residual, 3, padding=1)
        self.gate = nn.Conv2d(residual, 2 * hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W)."""
        return x + F.glu(self.gate(self.dropout(F.relu(self.conv(F.relu(x))))), 1)


class PixelCNN(LevelPrior):
    """Computes nothing that the wanted rows do not depend on."""

    last_layer: ClassVar[str] = "logits"

    def __init__(
        self, settings: PixelCnn, side: int, codebook_size: int, *, conditional: bool = False
    ) -> None:
        super().__init__()
        self.settings, self.side, self.codebook_size = settings, side, codebook_size
        self.conditioning = (
            Conditioning(settings, side // 2, codebook_size) if conditional else None
        )
        hidden, reach = settings.hidden_units, settings.filter_size // 2
        self.reach = reach
        self.embedding = nn.Embedding(codebook_size, hidden)
        self.enter_v = nn.Conv2d(hidden, hidden, (reach, settings.filter_size))  # rows above
        self.enter_h = nn.Conv2d(hidden, hidden, (1, reach))  # codes to the left
        self.link = nn.Conv2d(hidden, hidden, 1)
        self.position = nn.Parameter(torch.zeros(hidden, side, side))
        self.layers = nn.ModuleList(
            GatedLayer(hidden, settings.residual_units, settings.filter_size, settings.dropout)
            for _ in range(settings.layers)
        )
        self.attention = nn.ModuleDict(
            {
                str(at): CausalAttention(hidden, settings.attention_heads)
                for at in attention_positions(settings.layers, settings.attention_layers)
            }
        )
        self.output = nn.Sequential(
            *(
                OutputLayer(hidden, settings.residual_units, settings.dropout)
                for _ in range(settings.output_stack_layers)
            )
        )
        self.logits = nn.Linear(hidden, codebook_size)

    def features(
        self,
        codes: Int[Tensor, "b h w"],
        above: Int[Tensor, "b h2 w2"] | None = None,
        rows: slice = ALL_ROWS,
    ) -> Float[Tensor, "b rows w c"]:
        """See `LevelPrior`."""
        first, last, _ = rows.indices(self.side)
        begin, *tops = self.tops(first)
        embedded = self.embedding(codes[:, begin:last])  # (B, H, W, C)
        grid = embedded.permute(0, 3, 1, 2)
        v = self.first_v(grid, self.place(above, slice(begin, last)), tops[0] - begin)
        h = self.first_h(grid[:, :, tops[-1] - begin :], v)
        previous = shift(embedded.flatten(1, 2)) if self.attention else None
        for i, layer in enumerate(self.layers):
            v, h = layer(v, h, tops[i + 1] - tops[i])
            if previous is not None and str(i) in self.attention:
                flat = self.attention[str(i)](h.flatten(2).transpose(1, 2), previous)
                h = flat.transpose(1, 2).unflatten(2, h.shape[2:])
        return self._refine(h[:, :, first - tops[-1] :].permute(0, 2, 3, 1))

    def tops(self, first: int) -> list[int]:
        """The first row that matters to the rows from `first` on: of the codes, then of `v` before
        layer 0, 1, ... and behind the last.

        `h` sees its own row of the last `v` alone, unless attention sees all before it.
        """
        if self.attention:
            first = 0
        depth = len(self.layers) + 1
        return [max(0, first - self.reach * (depth - i)) for i in range(depth + 1)]

    def place(self, above: Tensor | None, rows: slice = ALL_ROWS) -> Float[Tensor, "b c rows w"]:
        """What each position in `rows` knows beside the codes before it.

        B = 1 without a condition. It enters `v`, which hands it on to `h` in every layer.
        """
        if (above is None) != (self.conditioning is None):
            need = "needs" if above is None else "takes no"
            raise ValueError(f"this prior {need} codes of a coarser grid")
        position = self.position[:, rows].unsqueeze(0)
        return position if self.conditioning is None else position + self.conditioning(above, rows)

    def first_v(self, embedded: Tensor, place: Tensor, skip: int = 0) -> Tensor:
        """(B, C, H, W) embeddings and what their positions know to the first, strictly causal `v`.

        Leaves the first `skip` rows out, as a layer does.
        """
        p = self.reach
        above = F.pad(embedded, (p, p, p - skip, 0))[:, :, :-1]
        return upcast(self.enter_v(above) + place[:, :, skip:])

    def first_h(self, embedded: Tensor, v: Tensor) -> Tensor:
        """The first, strictly causal `h`, of the last rows of `v`: those that are embedded."""
        seen = self.link(F.relu(v[:, :, v.shape[2] - embedded.shape[2] :]))
        left = F.pad(embedded, (self.reach, 0))[..., :-1]
        return upcast(self.enter_h(left) + seen)

    def head(self, h: Float[Tensor, "... c"]) -> Float[Tensor, "... k"]:
        return self.classify(self._refine(h))

    def classify(self, features: Float[Tensor, "... c"]) -> Float[Tensor, "... k"]:
        return forward_fp32(self.logits, features)

    @torch.no_grad()
    def scale_logits(self, temperature: float) -> None:
        for parameter in self.logits.parameters():
            parameter.div_(temperature)

    def _refine(self, h: Float[Tensor, "... c"]) -> Float[Tensor, "... c"]:
        return F.relu(self.output(h))


def shift(embedded: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
    """Row i becomes row i - 1, the first zero: what was drawn just before each position."""
    return F.pad(embedded, (0, 0, 1, 0))[:, :-1]


def attention_positions(layers: int, count: int) -> list[int]:
    """Indices of the layers that attention follows: `count` of them, spread evenly, the last one
    always among them. `attention_positions(20, 8)` is [1, 4, 6, 9, 11, 14, 16, 19]."""
    return [(i + 1) * layers // count - 1 for i in range(count)]


build = PixelCNN
