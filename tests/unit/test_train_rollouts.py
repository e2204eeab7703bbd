"""What a rollout decodes, and when."""

from collections.abc import Callable

import torch
from torch import Tensor

from rarl.models.codes import Codes
from rarl.models.onehot import OneHot
from rarl.models.prior import CodePrior
from rarl.rl.rollouts import all_rows, roll_out


class Counting(OneHot):
    """Keeps the codes of every call."""

    def __init__(self, codebook_size: int) -> None:
        super().__init__(codebook_size)
        self.decoded: list[Codes] = []

    def decode(self, codes: Codes) -> Tensor:
        self.decoded.append(codes)
        return super().decode(codes)


def test_real_codes_are_decoded_for_who_looks_and_once(make_code_prior: Callable[..., CodePrior]):
    prior, decoder = make_code_prior(4), Counting(7)
    real = torch.randint(7, (3, 4, 4))
    rows = all_rows(prior)
    rollouts = roll_out(prior, decoder, (real,), rows, repeats=2, temperature=1.0, top_k=0)
    assert [len(codes[0]) for codes in decoder.decoded] == [6]  # what was drawn alone
    shown = rollouts.real_images
    assert torch.equal(shown.argmax(1), real.repeat_interleave(2, 0))
    assert rollouts.real_images is shown
    assert [len(codes[0]) for codes in decoder.decoded] == [6, 3]
