"""The network of the FID: torch-fidelity's Inception v3 with the published weights.

Two packages publish the weights, as releases on their project pages: pytorch-fid as
`pt_inception-2015-12-05-6726825d.pth` and torch-fidelity as
`weights-inception-2015-12-05-6726825d.pth`. Both are one file under two names, with one SHA-256,
of which the names hold the start. Its keys are those of torchvision's Inception without the
auxiliary head, which are also those of torch-fidelity's network: it loads strictly, unrenamed.
"""

import io
from pathlib import Path

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractor import Extractor
from rarl.metrics.weights import read_state
from rarl.runtime.errors import UserError

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
FILES = (  # as torch-fidelity and pytorch-fid name it in torch's cache
    "weights-inception-2015-12-05-6726825d.pth",
    "pt_inception-2015-12-05-6726825d.pth",
)


def from_settings(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """As `load`; what a registry calls."""
    return load(settings.weights, device)


def load(weights: str | None, device: torch.device) -> Extractor:
    """FID features: (B, 3, H, W) uint8 to (B, 2048), after the last pooling.

    `weights` is the path of the file; None looks into torch's cache, where both packages put
    it. Raises `UserError` when the file is missing or is not the published one.
    """
    state = read_state(find() if weights is None else Path(weights), SHA256)
    network = build(state).to(device)

    def pooled(images: Tensor) -> Tensor:
        features: Tensor = network(images)[0]
        return features[:, :, None, None]  # it gives no maps

    return Extractor(
        name="inception",
        label="FID",
        dimension=2048,
        weights_sha256=SHA256,
        resize="bilinear to 299x299 as TensorFlow 1 (torch-fidelity), no antialiasing",
        device=device,
        network=pooled,
    )


def find() -> Path:
    """The weights in torch's cache. Raises `UserError` when they are not there."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    for name in FILES:
        if (cache / name).is_file():
            return cache / name
    raise UserError(
        f"evaluation.weights: the Inception weights {FILES[1]} are missing; download them from "
        f"the releases of the project pytorch-fid and put them into {cache}, or set "
        "evaluation.weights to their path"
    )


def build(state: dict[str, Tensor]) -> FeatureExtractorInceptionV3:
    """torch-fidelity's network with the weights in `state`.

    It reads weights only from a file, and unpickles whatever is in there: so it is given a
    buffer that holds nothing but the tensors that are already loaded.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=buffer
    )
