"""Moving averages of weights, and the best of them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Generic, Literal, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Model = TypeVar("Model", bound=nn.Module)


class MovingAverage(Generic[Model]):
    """An exponential moving average of a model's weights, itself a model in evaluation mode.

    It starts from a copy of the weights and forgets them at the rate 1 - decay a step.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        self._average.n_averaged.fill_(1)  # the copy counts, so that no update overwrites it
        self._average.eval().requires_grad_(False)

    @property
    def model(self) -> Model:
        return cast(Model, self._average.module)

    def restart(self, model: Model) -> None:
        """As new: from a copy of the weights."""
        self.model.load_state_dict(model.state_dict())
        self._average.n_averaged.fill_(1)

    def update(self, model: Model) -> None:
        self._average.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        return self._average.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._average.load_state_dict(state)


class Selection:
    """The weights of the evaluation that is kept: the best so far, or simply the last."""

    def __init__(self, rule: Literal["best", "last"], device: torch.device) -> None:
        """`device` is that of the model."""
        self.rule, self.device = rule, device
        self.metric, self.step = float("inf"), 0
        self.weights: Mapping[str, Tensor] = {}

    def offer(self, step: int, metric: float, model: nn.Module) -> None:
        """The lowest metric is the best."""
        if self.rule == "last" or metric < self.metric:
            self.step, self.metric = step, metric
            self.weights = deepcopy(model.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "metric": self.metric, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.metric = state["step"], state["metric"]
        self.weights = {name: tensor.to(self.device) for name, tensor in state["weights"].items()}
