"""The Frechet distance against closed forms, scipy's sqrtm, pytorch-fid and torch-fidelity."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.linalg
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_fid import (
    KEY_METRIC_FID,
    fid_features_to_statistics,
    fid_statistics_to_metric,
)

from rarl.metrics.frechet import factor, frechet_distance
from rarl.metrics.moments import Moments


@dataclass
class Normal:
    mean: np.ndarray
    covariance: np.ndarray


def covariance(d: int, rank: int, rng: np.random.Generator) -> np.ndarray:
    """Of the given rank, with a spectrum over three decades, as features have."""
    directions = np.linalg.qr(rng.standard_normal((d, rank)))[0]
    return (directions * np.logspace(0, -3, rank)) @ directions.T


def features(n: int, d: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def moments(rows: np.ndarray) -> Moments:
    result = Moments(rows.shape[1])
    result.update(torch.from_numpy(rows))
    return result


def test_one_dimension_has_a_closed_form():
    """(m1 - m2)^2 + (s1 - s2)^2, Dowson & Landau 1982."""
    a = Normal(np.array([1.0]), np.array([[4.0]]))
    b = Normal(np.array([-2.0]), np.array([[0.25]]))
    assert frechet_distance(a, b) == pytest.approx(9 + 1.5**2, rel=1e-14)


def test_diagonal_covariances_have_a_closed_form():
    rng = np.random.default_rng(0)
    s, t, m = rng.random(20), rng.random(20), rng.random(20)
    got = frechet_distance(Normal(m, np.diag(s**2)), Normal(0 * m, np.diag(t**2)))
    assert got == pytest.approx((m**2).sum() + ((s - t) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("rank", [60, 25])
def test_transported_covariance_has_a_closed_form(rank):
    """S2 = T S1 T with T positive definite: T is the optimal map, the trace is tr(T S1)."""
    rng = np.random.default_rng(rank)
    d = 60
    first = covariance(d, rank, rng)
    transport = covariance(d, d, rng) + 0.1 * np.eye(d)
    second = transport @ first @ transport
    shift = rng.standard_normal(d)
    expected = shift @ shift + np.trace(first + second - 2 * transport @ first)
    got = frechet_distance(Normal(shift, first), Normal(np.zeros(d), second))
    assert got == pytest.approx(expected, rel=1e-10)


@pytest.mark.filterwarnings("ignore:The `disp` argument")
def test_full_rank_equals_sqrtm_and_pytorch_fid_and_torch_fidelity():
    a, b = features(400, 40, 1), features(300, 40, 2)
    ours = frechet_distance(moments(a), moments(b))
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    difference = a.mean(axis=0) - b.mean(axis=0)
    root = scipy.linalg.sqrtm(first @ second).real
    by_sqrtm = difference @ difference + np.trace(first + second - 2 * root)
    by_pytorch_fid = calculate_frechet_distance(a.mean(axis=0), first, b.mean(axis=0), second)
    by_torch_fidelity = fid_statistics_to_metric(
        fid_features_to_statistics(torch.from_numpy(a)),
        fid_features_to_statistics(torch.from_numpy(b)),
        False,
    )[KEY_METRIC_FID]
    assert ours == pytest.approx(by_sqrtm, rel=1e-9)
    assert ours == pytest.approx(by_pytorch_fid, rel=1e-9)
    assert ours == pytest.approx(by_torch_fidelity, rel=1e-9)


def test_fewer_rows_than_dimensions_equals_the_singular_values_of_the_features():
    """tr (S1 S2)^(1/2) is the nuclear norm of X1 X2^T of the centred, scaled rows: no d x d."""
    a, b = features(20, 80, 3), features(30, 80, 4)
    x = (a - a.mean(axis=0)) / np.sqrt(19)
    y = (b - b.mean(axis=0)) / np.sqrt(29)
    root = np.linalg.norm(x @ y.T, ord="nuc")
    expected = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    expected += np.square(x).sum() + np.square(y).sum() - 2 * root
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("n", [200, 20])
def test_a_set_against_itself_is_zero(n):
    same = moments(features(n, 50, 5))
    assert np.trace(same.covariance) > 100
    assert 0 <= frechet_distance(same, same) <= 1e-9


def test_shifted_copy_is_the_squared_shift():
    a = features(30, 50, 6)
    assert frechet_distance(moments(a), moments(a + 2)) == pytest.approx(50 * 4, rel=1e-12)


def test_it_is_symmetric():
    a, b = moments(features(100, 30, 7)), moments(features(20, 30, 8))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)


def test_points_have_no_covariance():
    """Against a point the distance is |m1 - m2|^2 + tr S."""
    point = Normal(np.array([1.0, 2.0]), np.zeros((2, 2)))
    cloud = Normal(np.zeros(2), np.array([[2.0, 1.0], [1.0, 2.0]]))
    assert frechet_distance(point, cloud) == pytest.approx(5 + 4, rel=1e-14)
    assert frechet_distance(point, point) == 0


def test_factor_has_the_rank_as_columns():
    rng = np.random.default_rng(9)
    of = covariance(40, 13, rng)
    root = factor(of)
    assert root.shape == (40, 13)
    np.testing.assert_allclose(root @ root.T, of, atol=1e-14)


def test_what_has_no_distance_is_refused():
    two, three = Normal(np.zeros(2), np.eye(2)), Normal(np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="dimensions 2 and 3"):
        frechet_distance(two, three)
    with pytest.raises(ValueError, match="NaN"):
        frechet_distance(two, Normal(np.array([0, np.nan]), np.eye(2)))
    with pytest.raises(ValueError, match="NaN"):
        frechet_distance(two, Normal(np.zeros(2), np.full((2, 2), np.inf)))


def by_eigenvectors(of: np.ndarray) -> np.ndarray:
    """A factor with as many columns as numpy's convention for the rank keeps."""
    values, vectors = np.linalg.eigh(of)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])


@pytest.mark.parametrize("n", [400, 50])
def test_factor_equals_that_by_eigenvectors_but_for_a_rotation(n):
    a, b = (moments(features(n, 120, seed)).covariance for seed in (10, 11))
    for of in (a, b):
        assert factor(of).shape == by_eigenvectors(of).shape == (120, min(n - 1, 120))
        np.testing.assert_allclose(factor(of) @ factor(of).T, of, rtol=0, atol=1e-13 * of.max())
    ours, theirs = (
        np.linalg.svd(root(a).T @ root(b), compute_uv=False).sum()
        for root in (factor, by_eigenvectors)
    )
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_factor_leaves_its_argument_alone():
    of = moments(features(30, 20, 12)).covariance
    before = of.copy()
    factor(of)
    np.testing.assert_array_equal(of, before)
