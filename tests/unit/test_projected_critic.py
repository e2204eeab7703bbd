"""The critic on frozen maps: what it sees, what it scores, what trains."""

import copy
import re
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn

from helpers.paths import TINY
from rarl import losses
from rarl.config import ProjectedCritic, parse
from rarl.metrics.efficientnet import load_network, prepare
from rarl.rl.critics.file import load_critic, save_critic
from rarl.rl.critics.network import build
from rarl.rl.critics.projected import ProjectedCritic as Network
from rarl.rl.rewards.critic import CriticTrainer

RAW = yaml.safe_load(TINY.read_text())
CPU = torch.device("cpu")
VALUES = {
    "loss": "hinge",
    "extractor": "efficientnet_lite1",
    "weights": None,
    "blocks": (2, 5, 7),
    "channels": 8,
    "batch_size": 4,
    "steps": 1,
    "warmup_steps": 0,
    "learning_rate": 2e-3,
    "gradient_penalty": 0.0,
    "penalty_every": 1,
    "ema_decay": 0.5,
}


def settings(**changes: object) -> ProjectedCritic:
    return ProjectedCritic(**(VALUES | changes))


def images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def critic(seed: int = 0, **changes: object) -> Network:
    torch.manual_seed(seed)
    found = build(settings(**changes), 3, 16, 16)
    assert isinstance(found, Network)
    return found


def test_it_sees_projections_of_the_frozen_networks_maps():
    """Against the network's blocks, run one by one on all images at once."""
    found, shown = critic(), images(3)
    network = load_network("efficientnet_lite1", None, CPU)
    x = prepare(((shown + 1) * 127.5).round().to(torch.uint8))
    with torch.no_grad():
        x, maps = network.bn1(network.conv_stem(x)), []
        for block in network.blocks:
            x = block(x)
            maps.append(x)
        for i, (number, seen) in enumerate(zip((2, 5, 7), found.see(shown), strict=True)):
            weights = found.get_buffer(f"projection_{i}")
            expected = torch.einsum("bchw,oc->bohw", maps[number - 1], weights[:, :, 0, 0])
            torch.testing.assert_close(seen, expected, rtol=1e-3, atol=1e-3)
    assert [tuple(x.shape[1:]) for x in found.see(shown)] == [(8, 32, 32), (8, 8, 8), (8, 4, 4)]


def test_an_images_score_is_the_mean_of_its_patches_and_heads():
    found, shown = critic(), images(3)
    answer = found.eval().answer(found.see(shown))
    assert [tuple(x.shape) for x in answer.logits] == [(3, 4, 4)] * 3
    assert answer.scores.patches is not None
    torch.testing.assert_close(answer.scores.patches, torch.stack(answer.logits).mean(0))
    torch.testing.assert_close(answer.scores.whole, answer.scores.patches.mean((1, 2)))
    torch.testing.assert_close(answer.total, 3 * answer.scores.whole)


def test_heads_alone_train_and_no_gradient_enters_the_network():
    found = critic()
    shown = images(2).requires_grad_()
    seen = found.see(shown)
    assert not any(x.requires_grad for x in seen)
    assert {name.split(".")[0] for name, _ in found.named_parameters()} == {"heads"}
    assert not any(isinstance(module, nn.BatchNorm2d) for module in found.modules())


def test_a_heads_first_layer_has_a_slope_of_one():
    """Spectral norm: the largest singular value of each filter, as a matrix, is 1."""
    found = critic().train()
    for _ in range(60):
        found(images(2))
    for module in found.modules():
        if isinstance(module, nn.Conv2d):
            value = torch.linalg.matrix_norm(module.weight.flatten(1), 2)
            assert float(value) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_the_loss_is_the_sum_over_heads(loss: str):
    found = CriticTrainer(settings(loss=loss), 3, 16, 16, CPU)
    found.critic.eval()  # spectral norm takes no step between the two
    real, fake = found.critic.see(images(4)), found.critic.see(images(4, 1))
    pairs = zip(found.critic.answer(real).logits, found.critic.answer(fake).logits, strict=True)
    expected = sum(getattr(losses, loss)(a.flatten(), b.flatten()) for a, b in pairs)
    torch.testing.assert_close(found.step(real, fake)["critic_loss"], expected.detach())


def test_r1_is_of_the_projected_maps():
    """A critic that is linear in each map has its weights as gradients."""
    maps = [torch.randn(3, 2, 4, 4), torch.randn(3, 5, 2, 2)]
    weights = [torch.randn(2, 4, 4), torch.randn(5, 2, 2)]

    def linear(*seen: Tensor) -> Tensor:
        return sum((x * w).flatten(1).sum(1) for x, w in zip(seen, weights, strict=True))

    expected = sum(float(w.square().sum()) for w in weights) / 2
    assert float(losses.r1_penalty(linear, *maps)) == pytest.approx(expected, rel=1e-5)
    plain, penalised = (
        CriticTrainer(settings(gradient_penalty=weight), 3, 16, 16, CPU) for weight in (0.0, 1.0)
    )
    penalised.critic.load_state_dict(plain.critic.state_dict())
    losses_of = [of.update(images(4), images(4, 1))["critic_loss"] for of in (plain, penalised)]
    assert losses_of[1] > losses_of[0]


def test_it_learns_to_tell_dark_from_light():
    torch.manual_seed(0)
    found = CriticTrainer(settings(), 3, 16, 16, CPU)
    light, dark = (images(4) + 2) / 3, (images(4, 1) - 2) / 3
    seen = found.critic.see(light), found.critic.see(dark)
    for _ in range(30):
        found.step(*seen)
    assert (found.score(light).whole > found.score(dark).whole.max()).all()


def test_what_was_scored_is_seen_once(monkeypatch: pytest.MonkeyPatch):
    """The rewards and the critic's steps share the frozen maps of the rollouts."""
    found = CriticTrainer(settings(), 3, 16, 16, CPU)
    seen: list[int] = []
    see = found.critic.see
    monkeypatch.setattr(found.critic, "see", lambda x: seen.append(len(x)) or see(x))
    shown = images(4)
    found.score(shown)
    found._see(shown)
    assert seen == [4]
    found._see(images(4))
    assert seen == [4, 4]


def test_it_returns_with_equal_scores(tmp_path: Path):
    found, path = critic().eval(), tmp_path / "critic.safetensors"
    save_critic(path, found, {})
    again = load_critic(path, CPU)
    assert torch.equal(again(images(2)).whole, found(images(2)).whole)


def config_with(reward: dict[str, object]) -> dict[str, object]:
    raw = copy.deepcopy(RAW)
    own = {"kind": "critic", "network": "projected", **VALUES, **reward}
    rl = {"reward": own, "credit": {"kind": "intermediate"}}
    raw["methods"]["own"] = {"label": "Own", "objective": "reinforce", "rl": rl}
    return raw


def test_a_method_may_choose_the_network():
    raw = config_with({})
    assert parse(raw).finetuning("squares16", "own").rewarded == settings()


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (
            {"extractor": "efficientnet_lite0"},
            "reward.extractor=efficientnet_lite0 is a network of evaluation.extractors",
        ),
        ({"loss": "wasserstein"}, "methods.own.rl.reward.loss: input should be 'hinge' or"),
        ({"stem_stride": 2}, "rl.reward.stem_stride: is a setting of network pixel, not of proj"),
        ({"blocks": [3, 2]}, "methods.own.rl.reward.blocks: must be ascending, fine maps to"),
        ({"network": "pixels"}, "no network of reward is named 'pixels' (did you mean 'pixel'?)"),
    ],
)
def test_what_does_not_fit_is_one_line(reward: dict[str, object], message: str):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:  # or a ConfigError
        parse(config_with(reward)).finetuning("squares16", "own")
    assert "\n" not in str(caught.value)
