"""The value baseline: the reward that a rollout will get, foreseen from the codes so far."""

from jaxtyping import Float
from torch import Tensor, nn


class Value(nn.Module):
    """Two linear layers on the policy's features, which see only the codes before a position."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        last = nn.Linear(hidden, 1)
        nn.init.zeros_(last.weight)  # foresees nothing at first
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), last)

    def forward(self, features: Float[Tensor, "b n c"]) -> Float[Tensor, "b n"]:
        return self.layers(features).squeeze(-1)
