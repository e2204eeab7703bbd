"""What single images do to the Frechet distance of the distribution that they are drawn from."""

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from rarl.metrics.frechet import Gaussian, factor


class Reference:
    """The Gaussian to which distances are taken, with a factor of its covariance."""

    def __init__(self, of: Gaussian, device: torch.device) -> None:
        self.mean = torch.from_numpy(of.mean).to(device)  # (d,) float64
        self.factor = torch.from_numpy(factor(of.covariance)).to(device)  # (d, r)


@dataclass(frozen=True)
class Influence:
    """The derivative of the Frechet distance when a distribution gives a point more weight.

    For P = (1 - e) N + e point(x), the distance of P to the reference changes by

        2 (m - m_r)'(x - m) + (x - m)'(I - T)(x - m) - tr((I - T) S)

    times e: the influence function (Hampel 1974, "The influence curve and its role in robust
    estimation") of the distance, whose derivatives are 2 (m - m_r) by the mean and I - T by the
    covariance, where T = F (F'S F)^(-1/2) F' with F F' = S_r is the optimal transport from
    N(m, S) to N(m_r, S_r) (Bhatia, Jain & Lim 2019, "On the Bures-Wasserstein distance between
    positive definite matrices"). To first order in 1/n it is n times what leaving x out of n
    points takes off. Over the points of the distribution its mean is 0.
    """

    mean: Float64[Tensor, " d"]
    slope: Float64[Tensor, " d"]  # by the mean
    curvature: Float64[Tensor, "d d"]  # by the covariance
    trace: Float64[Tensor, ""]  # of curvature times covariance
    distance: Float64[Tensor, ""]  # from which it is the derivative

    @classmethod
    def of(
        cls,
        mean: Float64[Tensor, " d"],
        covariance: Float64[Tensor, "d d"],
        reference: Reference,
    ) -> Self:
        """`covariance` must have full rank: no root of it is cut off."""
        f = reference.factor
        values, vectors = torch.linalg.eigh(f.T @ covariance @ f)
        values = values.clamp_min(values[-1] * torch.finfo(values.dtype).eps)
        half = f @ vectors * values.pow(-0.25)  # (d, r)
        curvature = torch.eye(len(mean), dtype=mean.dtype, device=mean.device) - half @ half.T
        difference = mean - reference.mean
        return cls(
            mean=mean,
            slope=2 * difference,
            curvature=curvature,
            trace=(curvature * covariance).sum(),
            distance=difference.square().sum()
            + covariance.trace()
            + f.square().sum()
            - 2 * values.sqrt().sum(),
        )

    def __call__(self, features: Float[Tensor, "n d"]) -> Float64[Tensor, " n"]:
        """Of every row."""
        return self.places(features.unsqueeze(-1)).squeeze(-1)

    def places(self, maps: Float[Tensor, "n d p"]) -> Float64[Tensor, "n p"]:
        """Of the rows that are the means of `maps`, shared out among their places.

        The mean over the places is the influence of the row, exactly: it is bilinear in x - m, of
        which each place holds its own.
        """
        centred = maps.double() - self.mean[:, None]  # (n, d, p)
        whole = centred.mean(-1)  # (n, d)
        direction = self.slope + whole @ self.curvature  # (n, d)
        return torch.einsum("ndp,nd->np", centred, direction) - self.trace
