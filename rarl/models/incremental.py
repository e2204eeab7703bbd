"""The PixelCNN one position at a time, equal to its full forward pass.

Every convolution's input is kept, so that a step multiplies only the taps that its mask keeps:
at a row's start the `v` stream of the whole row is one convolution a layer; each position then
costs the `h` stream alone. A whole grid costs the multiplications of one forward pass.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from rarl.models.pixelcnn import CausalAttention, GatedLayer, PixelCNN, shift


class _LayerWeights(NamedTuple):
    """A layer's h weights as matrices, and its bias."""

    conv: Tensor  # (taps * C, R), tap by tap from left to right
    gate: Tensor  # (R, 2C)
    gate_bias: Tensor


class _Attention(NamedTuple):
    module: CausalAttention
    keys: Tensor  # (B, heads, N, C / heads)
    values: Tensor


class IncrementalPixelCNN:
    """The state of drawing a batch of grids; call in evaluation mode, without gradients.

    >>> state = IncrementalPixelCNN(prior, batch=16)
    >>> for _ in range(side * side):
    ...     logits = state.logits()        # (B, K) at the next position
    ...     state.append(draw(logits))     # (B,) int64
    """

    def __init__(
        self,
        prior: PixelCNN,
        batch: int,
        prefix: Int[Tensor, "b n"] | None = None,
        above: Int[Tensor, "b h w"] | None = None,
    ) -> None:
        """Starts at the first position, or behind a given prefix of codes in raster order.

        `above` is the next coarser grid, for a conditional prior.
        """
        self.prior, side, reach = prior, prior.side, prior.reach
        self.side, self.reach, self.batch = side, reach, batch
        like = prior.logits.weight
        hidden = prior.settings.hidden_units
        self.position = 0
        self.codes = torch.zeros(batch, side * side, dtype=torch.long, device=like.device)
        # Embeddings and activations with a border of zeros where the filters overhang.
        wide = side + 2 * reach
        self._embedded = like.new_zeros(batch, hidden, side + reach, wide)
        self._v = [like.new_zeros(batch, hidden, side + reach, wide) for _ in prior.layers]
        self._h = [like.new_zeros(batch, side + reach, hidden) for _ in prior.layers]
        self._left = like.new_zeros(batch, side + reach, hidden)  # embeddings of this row
        self._links: list[Tensor] = []  # (side, B, R) a layer: what v gives h in this row
        self._previous = like.new_zeros(batch, hidden)
        self._weights = [_matrices(cast(GatedLayer, layer)) for layer in prior.layers]
        self._enter = _taps(prior.enter_h.weight)
        self._place = prior.place(above)
        self._attention = self._attention_caches()
        if prefix is not None and prefix.shape[1]:
            self._prefill(prefix)

    def _attention_caches(self) -> dict[int, _Attention]:
        like, caches = self.prior.logits.weight, {}
        for at, module in self.prior.attention.items():
            module = cast(CausalAttention, module)
            width = self.prior.settings.hidden_units // module.heads
            shape = (self.batch, module.heads, self.side**2, width)
            caches[int(at)] = _Attention(module, like.new_zeros(shape), like.new_zeros(shape))
        return caches

    def logits(self) -> Float[Tensor, "b k"]:
        """Logits of the code at the next position, given those appended. Call once a position."""
        row, column = divmod(self.position, self.side)
        if column == 0:
            self._start_row(row)
        window = slice(column, column + self.reach)
        h = torch.addmm(self._links[0][column], self._left[:, window].flatten(1), self._enter)
        for i, weights in enumerate(self._weights):
            cache = self._h[i]
            cache[:, column + self.reach] = F.relu(h)
            taps = cache[:, column : column + self.reach + 1].flatten(1)  # (B, taps * C)
            u = F.relu(torch.addmm(self._links[i + 1][column], taps, weights.conv), inplace=True)
            h = h + F.glu(torch.addmm(weights.gate_bias, u, weights.gate), 1)
            if i in self._attention:
                h = self._attend(self._attention[i], h)
        return self.prior.head(h)

    def append(self, codes: Int[Tensor, " b"]) -> None:
        """Sets the code at the next position and moves on."""
        row, column = divmod(self.position, self.side)
        embedded = self.prior.embedding(codes)  # (B, C)
        self.codes[:, self.position] = codes
        self._embedded[:, :, row + self.reach, column + self.reach] = embedded
        self._left[:, column + self.reach] = embedded
        self._previous = embedded
        self.position += 1

    def _attend(self, cache: _Attention, h: Tensor) -> Tensor:
        n = self.position
        query, key, value = cache.module.project(h.unsqueeze(1), self._previous.unsqueeze(1))
        cache.keys[:, :, n : n + 1] = key
        cache.values[:, :, n : n + 1] = value
        attended = F.scaled_dot_product_attention(
            query, cache.keys[:, :, : n + 1], cache.values[:, :, : n + 1]
        )
        return h + cache.module.merge(attended).squeeze(1)

    def _start_row(self, row: int) -> None:
        """The v stream of a whole row, from the rows above it."""
        prior, p = self.prior, self.reach
        above = self._embedded[:, :, row : row + p]
        v = prior.enter_v(above) + self._place[:, :, row : row + 1]
        bias = cast(Tensor, prior.enter_h.bias)
        self._links = [_by_column(prior.link(F.relu(v))) + bias]
        for i, layer in enumerate(prior.layers):
            layer = cast(GatedLayer, layer)
            self._v[i][:, :, row + p, p : p + self.side] = F.relu(v)[:, :, 0]
            u = layer.conv_v(self._v[i][:, :, row : row + p + 1])
            v = v + F.glu(layer.gate_v(F.relu(u)), 1)
            self._links.append(_by_column(layer.link(F.relu(v))) + cast(Tensor, layer.conv_h.bias))
            self._h[i][:, :] = 0
        self._left[:, :] = 0

    def _prefill(self, prefix: Tensor) -> None:
        """One teacher-forced pass over the rows of the prefix fills every cache."""
        prior, p, side, n = self.prior, self.reach, self.side, prefix.shape[1]
        self.codes[:, :n] = prefix
        row, column = divmod(n, side)
        rows = row + (column > 0)
        grid = self.codes.view(-1, side, side)[:, :rows]
        embedded = prior.embedding(grid)  # (B, rows, W, C); positions from n on are never used
        flat = embedded.flatten(1, 2)
        v, h = prior.enter(embedded.permute(0, 3, 1, 2), self._place)
        self._embedded[:, :, p : p + rows, p : p + side] = embedded.permute(0, 3, 1, 2)
        hidden_rows = []
        for i, module in enumerate(prior.layers):
            layer = cast(GatedLayer, module)
            self._v[i][:, :, p : p + rows, p : p + side] = F.relu(v)
            hidden_rows.append(F.relu(h))
            v, h = layer(v, h)
            if i in self._attention:
                attention, tokens = self._attention[i], h.flatten(2).transpose(1, 2)
                _, key, value = attention.module.project(tokens, shift(flat))
                attention.keys[:, :, : rows * side] = key
                attention.values[:, :, : rows * side] = value
                h = attention.module(tokens, shift(flat)).transpose(1, 2).unflatten(2, h.shape[2:])
        self.position = n
        self._previous = flat[:, n - 1]
        if column:
            self._start_row(row)
            self._left[:, p : p + column] = embedded[:, row, :column]
            for cache, hidden in zip(self._h, hidden_rows, strict=True):
                cache[:, p : p + column] = hidden[:, :, row, :column].transpose(1, 2)


def _by_column(x: Tensor) -> Tensor:
    """(B, C, 1, W) to (W, B, C)."""
    return x[:, :, 0].permute(2, 0, 1).contiguous()


def _taps(weight: Tensor) -> Tensor:
    """A (R, C, 1, taps) filter as a (taps * C, R) matrix."""
    return weight[:, :, 0].permute(2, 1, 0).flatten(0, 1).contiguous()


def _matrices(layer: GatedLayer) -> _LayerWeights:
    gate = layer.gate_h
    return _LayerWeights(
        _taps(layer.conv_h.weight),
        gate.weight[:, :, 0, 0].T.contiguous(),
        cast(Tensor, gate.bias),
    )
