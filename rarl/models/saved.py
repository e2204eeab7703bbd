"""Models and code sets as artefacts: what is written beside the weights builds the model again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from rarl.config import Critic as CriticSettings
from rarl.config import Prior, Vqvae
from rarl.models.critic import Critic
from rarl.models.pixelcnn import PixelCNN
from rarl.models.prior import CodePrior
from rarl.models.vqvae import VQVAE, Codes
from rarl.runtime.artefact import Artefact, load, save
from rarl.runtime.errors import UserError
from rarl.runtime.pieces import Piece

Model = TypeVar("Model", bound=nn.Module)


def save_vqvae(path: Path, model: VQVAE, metadata: dict[str, Any]) -> None:
    made_by = {"vqvae": model.settings.model_dump(), "grids": model.grids}
    save(path, model.state_dict(), {**made_by, **metadata})


def load_vqvae(path: Path, device: torch.device) -> VQVAE:
    """In evaluation mode and frozen. Raises `UserError` when the file is something else."""
    artefact = _open(path, "vqvae")
    with _of_this_version(path):
        model = VQVAE(Vqvae(**artefact.metadata["vqvae"]), artefact.metadata["grids"])
    return _fill(model, artefact, path, device).requires_grad_(False)


def save_prior(path: Path, model: CodePrior, metadata: dict[str, Any]) -> None:
    priors = {
        str(grid): {
            "settings": prior.settings.model_dump(),
            "side": prior.side,
            "codebook_size": prior.codebook_size,
        }
        for grid, prior in model.grids.items()
    }
    save(path, model.state_dict(), {"priors": priors, **metadata})


def load_prior(*paths: Path, device: torch.device) -> CodePrior:
    """The grids of all files in one prior, in evaluation mode.

    Raises `UserError` when a file is something else.
    """
    grids: dict[int, PixelCNN] = {}
    for path in paths:
        artefact = _open(path, "priors")
        with _of_this_version(path):
            part = CodePrior(
                {
                    int(grid): PixelCNN(
                        Prior(**of["settings"]),
                        of["side"],
                        of["codebook_size"],
                        conditional=grid != "0",
                    )
                    for grid, of in artefact.metadata["priors"].items()
                }
            )
        grids |= _fill(part, artefact, path, device).grids
    return CodePrior(grids).eval()


def save_critic(path: Path, model: Critic, metadata: dict[str, Any]) -> None:
    made_by = {"critic": model.settings.model_dump(), "shape": model.shape}
    save(path, model.state_dict(), {**made_by, **metadata})


def load_critic(path: Path, device: torch.device) -> Critic:
    """In evaluation mode. Raises `UserError` when the file is something else."""
    artefact = _open(path, "critic")
    with _of_this_version(path):
        model = Critic(CriticSettings(**artefact.metadata["critic"]), *artefact.metadata["shape"])
    return _fill(model, artefact, path, device)


def _open(path: Path, key: str) -> Artefact:
    artefact = load(path)
    if key not in artefact.metadata:
        raise UserError(f"{path}: holds no '{key}'; it was written by another stage")
    return artefact


@contextmanager
def _of_this_version(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValidationError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: was written by another version of rarl: {reason}") from None


def _fill(model: Model, artefact: Artefact, path: Path, device: torch.device) -> Model:
    try:
        model.load_state_dict(artefact.tensors)
    except RuntimeError as error:
        raise UserError(f"{path}: weights do not fit: {' '.join(str(error).split())}") from None
    return model.to(device).eval()


@dataclass(frozen=True)
class CodeSet:
    """Code grids of many pictures, coarse to fine, int16 on the CPU."""

    grids: tuple[Tensor, ...]  # (N, h, w) each
    codebook_size: int

    def __len__(self) -> int:
        return len(self.grids[0])

    def take(self, indices: Tensor, device: torch.device) -> Codes:
        """(B, h, w) int64 grids of the pictures at `indices` (B,)."""
        return tuple(grid[indices].to(device, torch.long) for grid in self.grids)

    def __add__(self, other: "CodeSet") -> "CodeSet":
        pairs = zip(self.grids, other.grids, strict=True)
        return CodeSet(tuple(torch.cat(pair) for pair in pairs), self.codebook_size)


def gather(batches: Iterable[Codes], codebook_size: int) -> CodeSet:
    """Batches of codes as one set."""
    pieces = [[grid.to("cpu", torch.int16) for grid in codes] for codes in batches]
    grids = tuple(torch.cat(grid) for grid in zip(*pieces, strict=True))
    return CodeSet(grids, codebook_size)


def save_codes(path: Path, sets: dict[str, CodeSet], metadata: dict[str, Any]) -> None:
    """Writes named sets, e.g. `train`, `val`, in one file."""
    tensors = {
        f"{name}.{i}": grid.to(torch.int16)
        for name, codes in sets.items()
        for i, grid in enumerate(codes.grids)
    }
    size = next(iter(sets.values())).codebook_size
    save(path, tensors, {"codebook_size": size, **metadata})


def training_codes(sets: dict[str, CodeSet], *, flip: bool) -> CodeSet:
    """The training pictures' codes, with those of the mirrored pictures when `flip`."""
    return sets["train"] + sets["train_mirrored"] if flip else sets["train"]


def load_codes(path: Path) -> dict[str, CodeSet]:
    """Reads what `save_codes` wrote. Raises `UserError` when the file is something else."""
    return _code_sets(_open(path, "codebook_size"))


def _code_sets(artefact: Artefact) -> dict[str, CodeSet]:
    names = dict.fromkeys(name.rsplit(".", 1)[0] for name in artefact.tensors)
    size = artefact.metadata["codebook_size"]
    return {
        name: CodeSet(
            tuple(
                artefact.tensors[key]
                for key in sorted(key for key in artefact.tensors if key.startswith(f"{name}."))
            ),
            size,
        )
        for name in names
    }


def save_draw(path: Path, codes: CodeSet, seed: int, first: int, metadata: dict[str, Any]) -> None:
    """Writes the codes of the pictures of a sampling seed from picture `first` on."""
    save_codes(path, {"samples": codes}, {"seed": seed, "first": first, **metadata})


def load_draw(path: Path) -> Piece[CodeSet]:
    """Reads what `save_draw` wrote. Raises `UserError` when the file is something else."""
    artefact = _open(path, "first")
    codes = _code_sets(artefact)["samples"]
    return Piece(path, artefact.metadata["seed"], artefact.metadata["first"], codes)
