"""The PixelCNN position by position, drawing as it goes, equal to its full forward pass.

Every convolution's input is kept, so that a step multiplies only the taps that its mask keeps:
at a row's start the `v` stream of the whole row is one convolution a layer; each position then
costs the `h` stream alone. A whole grid costs the multiplications of one forward pass.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from rarl.models.level_prior import Choose
from rarl.models.pixelcnn import CausalAttention, GatedLayer, PixelCNN, shift
from rarl.runtime.cuda_graph import CudaGraph
from rarl.runtime.precision import upcast


class _LayerWeights(NamedTuple):
    """A layer's h weights as matrices, and its bias."""

    conv: Tensor  # (taps * C, R), tap by tap from left to right
    gate: Tensor  # (R, 2C)
    gate_bias: Tensor


class _Attention(NamedTuple):
    module: CausalAttention
    keys: Tensor  # (B, heads, N, C / heads)
    values: Tensor


class PixelCNNSampler:
    """The state of drawing a batch of grids; call in evaluation mode, without gradients.

    >>> state = PixelCNNSampler(prior, draw, batch=16)
    >>> state.begin(given, above, until=side)
    >>> for row in range(state.row, side):
    ...     state.draw_row(numbers[:, row])  # (B, W) in [0, 1)
    >>> state.codes  # (B, H, W) int64

    A row is one function of tensors of fixed shapes, whose kernels a GPU replays (`CudaGraph`).
    `begin` may be called again: another batch is drawn in the same tensors, and what was recorded
    stays valid.
    """

    def __init__(
        self, prior: PixelCNN, draw: Choose, batch: int, *, recorded: bool = False
    ) -> None:
        """`recorded`: that a row may be replayed on a GPU, for which attention takes in all
        positions and masks those to come: more arithmetic.
        """
        self.prior, self._draw, side, reach = prior, draw, prior.side, prior.reach
        self._batch, self._side, self._reach, self._recorded = batch, side, reach, recorded
        like = prior.link.weight
        hidden = prior.settings.hidden_units
        self.row = 0  # that is drawn next
        self.codes = torch.zeros(batch, side, side, dtype=torch.long, device=like.device)
        # Embeddings and activations with a border of zeros where the filters overhang.
        wide = side + 2 * reach
        self._above = like.new_zeros(batch, hidden, reach, wide)  # embeddings of the rows above
        self._v = [like.new_zeros(batch, hidden, reach + 1, wide) for _ in prior.layers]
        self._h = [like.new_zeros(batch, side + reach, hidden) for _ in prior.layers]
        self._left = like.new_zeros(batch, side + reach, hidden)  # embeddings of this row
        self._drawn = self.codes.new_zeros(batch, side)  # codes of this row
        self._links: list[Tensor] = []  # (side, B, R) a layer: what v gives h in this row
        self._previous = like.new_zeros(batch, hidden)
        self._weights = [_matrices(cast(GatedLayer, layer)) for layer in prior.layers]
        self._enter = _taps(prior.enter_h.weight)
        self._place = prior.position.unsqueeze(0)  # see `begin`
        self._top = 0  # its first row
        self._attention = self._attention_caches()
        self._order = torch.arange(side**2, device=like.device)
        self._graph = CudaGraph()

    def begin(
        self,
        given: Int[Tensor, "b rows w"],
        above: Int[Tensor, "b h w"] | None,
        *,
        until: int,
    ) -> None:
        """A batch below the rows of codes that are given, if any, with the weights of now.

        `above` is the next coarser level, for a conditional prior. Rows from `until` on will not be
        drawn.
        """
        self._renew()
        self.row = given.shape[1]
        self._top = self.prior.tops(self.row)[0]  # the first row that is still seen
        self._place = upcast(self.prior.place(above, slice(self._top, until)))
        if self.row:
            self.codes[:, : self.row] = given
            self._prefill(given)

    def draw_row(self, numbers: Float[Tensor, "b w"]) -> None:
        """Draws the next row, from left to right."""
        place = self._place[:, :, self.row - self._top : self.row - self._top + 1]
        start = self._order[self.row * self._side : self.row * self._side + 1]
        if self._recorded:
            self.codes[:, self.row] = self._graph(self._row, numbers, place, start)
        else:
            self.codes[:, self.row] = self._row(numbers, place, start)
        self.row += 1

    def _renew(self) -> None:
        """The network's weights, nothing of another batch; all tensors stay in their place."""
        self._enter.copy_(_taps(self.prior.enter_h.weight))
        for held, layer in zip(self._weights, self.prior.layers, strict=True):
            for matrix, now in zip(held, _matrices(cast(GatedLayer, layer)), strict=True):
                matrix.copy_(now)
        caches = [self.codes, self._above, self._left, self._previous, *self._v, *self._h]
        caches += [tensor for cache in self._attention.values() for tensor in cache[1:]]
        for tensor in caches:
            tensor.zero_()

    def _attention_caches(self) -> dict[int, _Attention]:
        like, caches = self.prior.link.weight, {}
        for at, module in self.prior.attention.items():
            module = cast(CausalAttention, module)
            width = self.prior.settings.hidden_units // module.heads
            shape = (self._batch, module.heads, self._side**2, width)
            caches[int(at)] = _Attention(module, like.new_zeros(shape), like.new_zeros(shape))
        return caches

    def _row(self, numbers: Tensor, place: Tensor, start: Tensor) -> Tensor:
        """(B, W) codes of a row that starts at position `start` (1,)."""
        self._start_row(place)
        for column in range(self._side):
            codes = self._draw(self._logits(column, start), numbers[:, column])
            embedded = self.prior.embedding(codes)  # (B, C)
            self._drawn[:, column] = codes
            self._left[:, column + self._reach] = embedded
            self._previous.copy_(embedded)
        p, row = self._reach, self._left[:, self._reach :].transpose(1, 2)  # (B, C, W)
        self._above.copy_(_below(self._above, F.pad(row, (p, p))))
        return self._drawn

    def _start_row(self, place: Tensor) -> None:
        """The v stream of a whole row, from the rows above it."""
        prior, p = self.prior, self._reach
        v = prior.enter_v(self._above) + place
        self._links = [_by_column(prior.link(F.relu(v))) + cast(Tensor, prior.enter_h.bias)]
        for cache, hidden, module in zip(self._v, self._h, prior.layers, strict=True):
            layer = cast(GatedLayer, module)
            cache.copy_(_below(cache, F.pad(F.relu(v)[:, :, 0], (p, p))))
            u = layer.conv_v(cache)
            v = v + F.glu(layer.gate_v(F.relu(u)), 1)
            self._links.append(_by_column(layer.link(F.relu(v))) + cast(Tensor, layer.conv_h.bias))
            hidden.zero_()
        self._left.zero_()

    def _logits(self, column: int, start: Tensor) -> Float[Tensor, "b k"]:
        """Logits of the code at a column, given those drawn before."""
        window = slice(column, column + self._reach)
        h = torch.addmm(self._links[0][column], self._left[:, window].flatten(1), self._enter)
        h = upcast(h)  # the residual sum
        for i, weights in enumerate(self._weights):
            cache = self._h[i]
            cache[:, column + self._reach] = F.relu(h)
            taps = cache[:, column : column + self._reach + 1].flatten(1)  # (B, taps * C)
            u = F.relu(torch.addmm(self._links[i + 1][column], taps, weights.conv), inplace=True)
            h = h + F.glu(torch.addmm(weights.gate_bias, u, weights.gate), 1)
            if i in self._attention:
                h = self._attend(self._attention[i], h, column, start)
        return self.prior.head(h)

    def _attend(self, cache: _Attention, h: Tensor, column: int, start: Tensor) -> Tensor:
        query, key, value = cache.module.project(h.unsqueeze(1), self._previous.unsqueeze(1))
        if self._recorded:
            position = start + column
            cache.keys.index_copy_(2, position, key)
            cache.values.index_copy_(2, position, value)
            attended = F.scaled_dot_product_attention(
                query, cache.keys, cache.values, attn_mask=(self._order <= position)[None]
            )
        else:
            n = self.row * self._side + column
            cache.keys[:, :, n : n + 1] = key
            cache.values[:, :, n : n + 1] = value
            attended = F.scaled_dot_product_attention(
                query, cache.keys[:, :, : n + 1], cache.values[:, :, : n + 1]
            )
        return h + cache.module.merge(attended).squeeze(1)

    def _prefill(self, given: Tensor) -> None:
        """One teacher-forced pass over the given rows that are still seen fills every cache.

        Only attention needs their `h`.
        """
        prior, p, rows = self.prior, self._reach, given.shape[1]
        begin, *tops = prior.tops(rows)
        embedded = prior.embedding(given[:, begin:])  # (B, rows, W, C)
        flat, grid = embedded.flatten(1, 2), embedded.permute(0, 3, 1, 2)
        _keep_last(self._above, grid, p)
        self._previous.copy_(flat[:, -1])
        v = prior.first_v(grid, self._place[:, :, : rows - begin], tops[0] - begin)
        h = prior.first_h(grid, v) if self._attention else None
        for i, module in enumerate(prior.layers):
            layer = cast(GatedLayer, module)
            _keep_last(self._v[i], F.relu(v), p)
            if h is None and i == len(self._v) - 1:
                return  # nothing sees the last `v` of a row above
            v = layer.next_v(v, tops[i + 1] - tops[i])
            if h is not None:
                h = layer.next_h(v, h)
            if h is not None and i in self._attention:
                h = self._attend_given(self._attention[i], h, shift(flat))

    def _attend_given(self, cache: _Attention, h: Tensor, previous: Tensor) -> Tensor:
        tokens = h.flatten(2).transpose(1, 2)
        _, key, value = cache.module.project(tokens, previous)
        cache.keys[:, :, : key.shape[2]] = key
        cache.values[:, :, : key.shape[2]] = value
        return cache.module(tokens, previous).transpose(1, 2).unflatten(2, h.shape[2:])


def _below(rows: Float[Tensor, "b c h w"], row: Float[Tensor, "b c w"]) -> Tensor:
    """The rows one further down: without the first, with a new one at the end."""
    return torch.cat((rows[:, :, 1:], row.unsqueeze(2)), 2)


def _keep_last(cache: Tensor, rows: Float[Tensor, "b c h w"], border: int) -> None:
    """Puts as many of the last rows as the cache holds at its end, within its border."""
    kept = rows[:, :, -cache.shape[2] :]
    cache[:, :, -kept.shape[2] :, border:-border] = kept


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
        cast(Tensor, gate.bias).clone(),
    )


sampler = PixelCNNSampler
