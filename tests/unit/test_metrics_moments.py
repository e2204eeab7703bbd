"""Moments against numpy.cov on all rows at once, and their file against numpy's reader."""

import json

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import compute_statistics_of_path

from rarl.metrics import moments
from rarl.metrics.moments import Moments
from rarl.runtime.errors import UserError


def rows(n: int, d: int, seed: int = 0, offset: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) @ mixing + offset


def streamed(features: torch.Tensor, *sizes: int) -> Moments:
    result = Moments(features.shape[1])
    for block in features.split(list(sizes)):
        result.update(block)
    return result


@pytest.mark.parametrize("sizes", [(100,), (1, 99), (37, 0, 1, 62), (1,) * 100])
def test_streaming_equals_numpy(sizes):
    features = rows(100, 7)
    result = streamed(features, *sizes)
    assert result.count == 100
    np.testing.assert_allclose(result.mean, features.numpy().mean(axis=0), rtol=1e-12)
    expected = np.cov(features.numpy(), rowvar=False)
    np.testing.assert_allclose(result.covariance, expected, rtol=0, atol=1e-12 * expected.max())


def test_a_mean_far_from_zero_costs_no_digits():
    """The naive E[xx^T] - mm^T would be off by 1e16 eps, more than the variance itself."""
    features = rows(300, 5, offset=1e8)
    expected = np.cov(features.numpy() - 1e8, rowvar=False)
    result = streamed(features, 100, 150, 50)
    np.testing.assert_allclose(result.covariance, expected, atol=1e-6 * expected.max())


def test_float32_features_are_summed_in_float64():
    features = rows(1000, 3, offset=50).float()
    expected = np.cov(features.double().numpy(), rowvar=False)
    result = streamed(features, 500, 500).covariance
    np.testing.assert_allclose(result, expected, atol=1e-12 * expected.max())


def test_update_leaves_its_argument_alone():
    features = rows(10, 3)
    before = features.clone()
    streamed(features, 10)
    assert torch.equal(features, before)


def test_merge_equals_numpy():
    features = rows(90, 6)
    left, right = streamed(features[:20], 20), streamed(features[20:], 30, 40)
    kept = right.covariance
    left.merge(right)
    left.merge(Moments(6))
    expected = np.cov(features.numpy(), rowvar=False)
    assert left.count == 90
    np.testing.assert_allclose(left.mean, features.numpy().mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(left.covariance, expected, atol=1e-12 * expected.max())
    np.testing.assert_array_equal(right.covariance, kept)


def test_merge_into_nothing_does_not_share_memory():
    right = streamed(rows(10, 3), 10)
    kept = right.covariance
    left = Moments(3)
    left.merge(right)
    left.update(rows(10, 3, seed=1))
    np.testing.assert_array_equal(right.covariance, kept)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(bad):
    features = rows(4, 3)
    features[2, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        Moments(3).update(features)


def test_wrong_width_is_refused():
    with pytest.raises(ValueError, match=r"\(4, 3\), expected \(n, 2\)"):
        Moments(2).update(rows(4, 3))
    with pytest.raises(ValueError, match="widths 2 and 3"):
        Moments(2).merge(Moments(3))


def test_one_row_has_no_covariance():
    with pytest.raises(ValueError, match="two rows"):
        _ = streamed(rows(1, 3), 1).covariance


def test_file_comes_back_bit_by_bit(tmp_path):
    path = tmp_path / "deep" / "moments.npz"
    result = streamed(rows(50, 4), 30, 20)
    result.save(path, {"label": "FID", "seeds": [1, 2]})
    saved = moments.load(path)
    np.testing.assert_array_equal(saved.mean, result.mean)
    np.testing.assert_array_equal(saved.covariance, result.covariance)
    assert saved.count == 50
    assert saved.metadata == {"label": "FID", "seeds": [1, 2]}
    assert [file.name for file in path.parent.iterdir()] == ["moments.npz"]


def test_pytorch_fid_reads_the_file(tmp_path):
    path = tmp_path / "moments.npz"
    result = streamed(rows(50, 4), 50)
    result.save(path, {})
    mean, covariance = compute_statistics_of_path(str(path), None, 1, 4, "cpu")
    np.testing.assert_array_equal(mean, result.mean)
    np.testing.assert_array_equal(covariance, result.covariance)


def test_missing_broken_and_foreign_files_are_told_in_one_line(tmp_path):
    whole = tmp_path / "whole.npz"
    streamed(rows(50, 4), 50).save(whole, {})
    broken = tmp_path / "broken.npz"
    broken.write_bytes(whole.read_bytes()[:300])
    empty = tmp_path / "empty.npz"
    empty.touch()
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, mu=np.zeros(2), sigma=np.eye(2))
    misfit = tmp_path / "misfit.npz"
    np.savez(misfit, mu=np.zeros(3), sigma=np.eye(2), count=9, metadata=json.dumps({}))
    cases = {
        tmp_path / "none.npz": "no such file",
        broken: "cannot be read",
        empty: "cannot be read",
        foreign: "count",
        misfit: "do not fit",
    }
    for path, reason in cases.items():
        with pytest.raises(UserError, match=reason) as caught:
            moments.load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_pickle_in_the_file_is_not_executed(tmp_path):
    ran = tmp_path / "ran"

    class Payload:
        def __reduce__(self):
            return (ran.touch, ())

    path = tmp_path / "evil.npz"
    evil = np.array([Payload()], dtype=object)
    np.savez(path, mu=evil, sigma=evil, count=2, metadata="{}")
    with pytest.raises(UserError, match="cannot be read"):
        moments.load(path)
    assert not ran.exists()
