"""Every architecture of the configurations is made, and its parameters are those of a formula."""

import pytest

from helpers.paths import ROOT
from rarl import cli
from rarl.config import Config, Prior, load
from rarl.sizes import sizes

PAPER: Config = load(ROOT / "config" / "paper.yaml")


def prior_parameters(prior: Prior, k: int, side: int, *, conditional: bool) -> int:
    """Weights and biases of a prior of k codes, layer by layer, counted by hand."""
    c, r, f = prior.hidden_units, prior.residual_units, prior.filter_size
    reach = f // 2
    entry = k * c + (reach * f * c * c + c) + (reach * c * c + c) + (c * c + c) + c * side**2
    gate = r * 2 * c + 2 * c
    convolutions = ((reach + 1) * f * c * r + r) + ((reach + 1) * c * r + r) + (c * r + r)
    attention = 2 * c + (c * c + c) + (2 * c * 2 * c + 2 * c) + (c * c + c)
    output = (c * r + r) + gate
    conditioning = k * c + c * (side // 2) ** 2 + (2 * 2 * c * c + c)
    conditioning += prior.conditioning_stack_layers * ((3 * 3 * c * r + r) + gate)
    return (
        entry
        + prior.layers * (convolutions + 2 * gate)
        + prior.attention_layers * attention
        + prior.output_stack_layers * output
        + conditional * conditioning
        + (c * k + k)
    )


@pytest.mark.parametrize("name", PAPER.experiments)
def test_priors_of_the_paper(name: str):
    of = PAPER.experiments[name]
    expected = [
        prior_parameters(of.prior.of(grid), of.vqvae.codebook_size, side, conditional=i > 0)
        for i, (grid, side) in enumerate(zip(of.grids, of.latents, strict=True))
    ]
    if of.oracle is not None:
        oracle = of.prior.overlaid(of.oracle.prior, "oracle.prior")
        expected.append(
            prior_parameters(oracle, of.vqvae.codebook_size, of.latents[0], conditional=False)
        )
    assert list(sizes(of).priors) == expected


def test_the_oracles_critic_sees_codes():
    """One-hot of 128 at 8x8: a 3x3 convolution, one stage down to 4x4, a linear score."""
    first = 128 * 9 * 64 + 64
    stage = 64 * 16 * 128 + 128 + 2 * 128
    score = 128 * 4 * 4 + 1
    assert sizes(PAPER.experiments["celeba-oracle"]).critic == first + stage + score


@pytest.mark.parametrize(
    ("name", "vqvae", "priors"),
    [
        ("lsun-bedroom-64-8", 1_210_627, (128_564_736,)),  # Table 5
        ("lsun-bedroom-64-16", 800_771, (153_090_048,)),  # Table 6
        ("lsun-bedroom-128-16", 1_210_627, (153_090_048,)),  # Table 7
        ("celeba-128-16", 1_210_627, (153_090_048,)),  # Table 7
    ],
)
def test_no_architecture_changes_unnoticed(name: str, vqvae: int, priors: tuple[int, ...]):
    assert sizes(PAPER.experiments[name])[:2] == (vqvae, priors)


@pytest.mark.parametrize("path", ["config.yaml", "config/paper.yaml"])
def test_the_command_prints_a_line_for_each_experiment(path: str, capsys: pytest.CaptureFixture):
    assert cli.main(["parameters", str(ROOT / path)]) == 0
    printed = capsys.readouterr().out
    for name, experiment in load(ROOT / path).experiments.items():
        [line] = [line for line in printed.splitlines() if line.startswith(f"{name} ")]
        vqvae, priors, critic = sizes(experiment)
        numbers = [int(word.replace(",", "")) for word in line.split()[1:] if word != "+"]
        assert numbers == [vqvae, critic, *priors]
