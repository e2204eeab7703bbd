"""Small models that the tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rarl.config import Prior, Vqvae
from rarl.models.codes import CodeSet
from rarl.models.pixelcnn import PixelCNN
from rarl.models.prior import CodePrior

WORKFLOW = Path(__file__).parent / "workflow"
SLOW = (  # units that take more than two seconds, by `pytest --durations 0` on a quiet machine
    "test_train_reinforce.py::test_reinforce_raises_the_reward",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks `slow`: whole runs, and the units above, by file, class or test."""
    for item in items:
        if WORKFLOW in item.path.parents or any(name in item.nodeid for name in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tensors are small, tests run beside other work, and another number of threads gives other
    bits. Of every test, as what runs the command line's `main` may set another."""
    torch.set_num_threads(1)


@pytest.fixture
def prior_settings() -> Prior:
    return Prior(
        kind="pixelcnn",
        filter_size=5,
        hidden_units=12,
        residual_units=8,
        layers=3,
        attention_layers=1,
        attention_heads=2,
        output_stack_layers=2,
        conditioning_stack_layers=1,
        dropout=0.1,
        flip=False,
        batch_size=8,
        steps=4,
        learning_rate=1e-3,
        schedule="constant",
        gradient_clip=1.0,
        ema_decay=0.9,
        log_every=1,
        evaluate_every=2,
    )


@pytest.fixture
def vqvae_settings() -> Vqvae:
    return Vqvae(
        hidden_units=8,
        residual_units=4,
        residual_blocks=1,
        layers=2,
        codebook_size=16,
        codebook_dim=4,
        beta=0.25,
        encoder_filter=3,
        decoder_filter=4,
        upsampling="transposed",
        codebook_distance="euclidean",
        perceptual=None,
        adversarial=None,
        codebook_decay=0.9,
        restart_threshold=0.025,
        flip=True,
        batch_size=4,
        steps=4,
        learning_rate=1e-3,
        log_every=1,
        evaluate_every=2,
    )


@pytest.fixture
def make_prior(prior_settings: Prior) -> Callable[..., PixelCNN]:
    """Makes a prior whose weights are all random, so that every path of it matters."""

    def make(
        side: int = 4,
        codebook_size: int = 7,
        seed: int = 0,
        conditional: bool = False,
        **changes: int,
    ) -> PixelCNN:
        torch.manual_seed(seed)
        settings = prior_settings.model_copy(update=changes)
        prior = PixelCNN(settings, side, codebook_size, conditional=conditional).eval()
        for parameter in prior.parameters():
            torch.nn.init.normal_(parameter, 0.0, 0.3)
        return prior

    return make


@pytest.fixture
def make_code_prior(make_prior: Callable[..., PixelCNN]) -> Callable[..., CodePrior]:
    """Makes the priors of one or two grids, given their sides."""

    def make(*sides: int, **changes: int) -> CodePrior:
        return CodePrior(
            {
                grid: make_prior(side=side, conditional=grid > 0, **changes)
                for grid, side in enumerate(sides)
            }
        ).eval()

    return make


@pytest.fixture
def codes_of() -> Callable[..., CodeSet]:
    """Makes codes that continue their left neighbour, easy to learn; grids of the given sides."""

    def make(count: int, *sides: int, size: int = 7) -> CodeSet:
        start = torch.randint(size, (count, 1, 1), generator=torch.Generator().manual_seed(count))
        steps = [torch.arange(side * side).view(1, side, side) for side in sides or (4,)]
        return CodeSet(tuple(((start + step) % size).to(torch.int16) for step in steps), size)

    return make
