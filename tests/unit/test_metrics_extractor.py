"""What every extractor promises, on a network whose answers are known."""

import json

import numpy as np
import pytest
import torch

from rarl.metrics.extractor import CPU_BATCH, Extractor, extract, features

CPU = torch.device("cpu")


def extractor(network) -> Extractor:
    """Of a network that gives features without places."""

    def maps(images: torch.Tensor) -> torch.Tensor:
        return network(images)[:, :, None, None]

    return Extractor("tiny", "FD-tiny", 3, "ab" * 32, "none", CPU, maps)


def channel_means(images: torch.Tensor) -> torch.Tensor:
    return images.float().mean(dim=(2, 3))


def make_images(n: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    return torch.randint(0, 256, (n, 3, 4, 4), dtype=torch.uint8, generator=generator)


def test_extract_is_the_moments_of_all_features():
    batches = make_images(10).split(4)
    result = extract(extractor(channel_means), iter(batches))
    every = make_images(10).double().mean(dim=(2, 3)).numpy()
    assert result.count == 10
    np.testing.assert_allclose(result.mean, every.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(result.covariance, np.cov(every, rowvar=False), rtol=1e-5)


def test_features_come_batch_by_batch_in_order():
    blocks = list(features(extractor(channel_means), make_images(10).split(4)))
    assert [len(block) for block in blocks] == [4, 4, 2]
    torch.testing.assert_close(torch.cat(blocks), channel_means(make_images(10)))


def test_a_cpu_computes_few_images_at_once():
    seen = []

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return channel_means(images)

    images = make_images(2 * CPU_BATCH + 3)
    assert torch.equal(extractor(network)(images), channel_means(images))
    assert seen == [CPU_BATCH, CPU_BATCH, 3]


@pytest.mark.parametrize(
    "images",
    [torch.zeros(2, 3, 4, 4), torch.zeros(3, 4, 4, dtype=torch.uint8), make_images(2)[:, :1]],
)
def test_only_uint8_rgb_is_taken(images):
    with pytest.raises(ValueError, match="expected uint8"):
        extractor(channel_means)(images)


def test_precision_set_outside_changes_nothing():
    seen = {}

    def network(images: torch.Tensor) -> torch.Tensor:
        seen["tf32"] = torch.backends.cudnn.allow_tf32
        seen["cudnn"] = torch.backends.cudnn.enabled
        seen["gradients"] = torch.is_grad_enabled()
        return torch.nn.functional.linear(channel_means(images), torch.eye(3))

    before = torch.backends.cudnn.allow_tf32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = extractor(network)(make_images(5))
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, channel_means(make_images(5)))
    assert seen == {"tf32": False, "cudnn": True, "gradients": False}
    assert torch.backends.cudnn.allow_tf32 == before


def test_protocol_is_json_with_all_that_decides_the_number():
    assert json.loads(json.dumps(extractor(channel_means).protocol)) == {
        "extractor": "tiny",
        "label": "FD-tiny",
        "dimension": 3,
        "weights_sha256": "ab" * 32,
        "resize": "none",
    }
