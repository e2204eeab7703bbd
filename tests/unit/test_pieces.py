"""Into how many pieces the images of a seed are cut changes no bit of any result."""

import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from helpers.small_settings import critic_settings
from rarl.config import Sampling, Vqvae
from rarl.config.stages.evaluate import RejectSettings, SampleSettings
from rarl.metrics import feature_files
from rarl.metrics.frechet import frechet_distance
from rarl.metrics.moments import Moments
from rarl.models.codes import load_draw
from rarl.models.prior import CodePrior
from rarl.models.prior_file import save_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import save_vqvae
from rarl.results.distances import Distances
from rarl.rl.critics.file import save_critic
from rarl.rl.critics.pixel import PixelCritic
from rarl.runtime import artefact
from rarl.runtime.errors import UserError
from rarl.runtime.sample_shards import Piece, merge_shards
from rarl.stages import distance, reject, sample


def sampling(count: int, batch_size: int, shards: int) -> Sampling:
    return Sampling(
        count=count, seeds=(0,), batch_size=batch_size, temperature=1.0, top_k=0, shards=shards
    )


@pytest.mark.parametrize(("count", "batch_size"), [(1500, 250), (13, 2), (5, 5)])
def test_shards_are_whole_batches_and_every_image_is_in_one(count: int, batch_size: int):
    for shards in range(1, -(-count // batch_size) + 1):
        of = sampling(count, batch_size, shards)
        parts = [of.images(shard) for shard in range(shards)]
        assert [n for part in parts for n in part] == list(range(count))
        assert all(part.start % batch_size == 0 and len(part) for part in parts)


def test_more_shards_than_batches_are_refused():
    with pytest.raises(ValueError, match="shards=4 are more than the 3 batches"):
        sampling(6, 2, 4)


def test_pieces_are_put_in_order():
    pieces = [
        Piece(Path(str(n)), seed, first, [seed, first, n])
        for n, (seed, first) in enumerate([(5, 3), (4, 0), (5, 0)])
    ]
    assert merge_shards(pieces) == {5: [[5, 0, 2], [5, 3, 0]], 4: [[4, 0, 1]]}


@pytest.mark.parametrize("first", [2, 4])
def test_a_piece_that_is_missing_or_double_is_named(first: int):
    pieces = [Piece(Path("a"), 0, 0, "abc"), Piece(Path("b"), 0, first, "de")]
    with pytest.raises(UserError, match=rf"b: begins with image {first} of seed 0, but .* at 3"):
        merge_shards(pieces)


@pytest.mark.parametrize("rejecting", [False, True])
def test_shards_draw_what_one_job_draws(
    tmp_path: Path,
    make_code_prior: Callable[..., CodePrior],
    vqvae_settings: Vqvae,
    rejecting: bool,
):
    torch.manual_seed(0)
    decoder = VQVAE(vqvae_settings, 2)
    decoder.train()(torch.rand(4, 3, 16, 16))
    save_vqvae(tmp_path / "vqvae", decoder.eval(), {})
    save_critic(tmp_path / "critic", PixelCritic(critic_settings(), 3, 16, 16), {})
    save_prior(tmp_path / "prior", make_code_prior(2, 4), {})

    def drawn(shards: int) -> list[torch.Tensor]:
        paths = []
        for shard in range(shards):
            images = sampling(11, 2, shards).images(shard)
            settings = SampleSettings(
                prior_kinds=("pixelcnn",),
                precision="float32",
                seed=7,
                first=images.start,
                count=len(images),
                batch_size=2,
                temperature=1.0,
                top_k=0,
            )
            path = tmp_path / f"{shards}-{shard}"
            files = {"output": path, "timing": tmp_path / "seconds"}
            if rejecting:
                models = {name: tmp_path / name for name in ("vqvae", "prior", "critic")}
                reject.run(
                    RejectSettings(sample=settings, draws=3, network="pixel"), **models, **files
                )
            else:
                sample.run(settings, prior=tmp_path / "prior", **files)
            paths.append(path)
        [pieces] = merge_shards(load_draw(path) for path in paths).values()
        return [torch.cat(grids) for grids in zip(*(of.grids for of in pieces), strict=True)]

    whole = drawn(1)
    assert [len(grid) for grid in whole] == [11, 11]
    for shards in (2, 5):
        for mine, theirs in zip(drawn(shards), whole, strict=True):
            assert torch.equal(mine, theirs)


def test_moments_do_not_depend_on_the_pieces():
    features = torch.rand(2500, 3, generator=torch.Generator().manual_seed(0))
    whole = feature_files.moments_of([features])
    for cuts in ([1000, 1500], [1, 999, 1001, 499]):
        cut = feature_files.moments_of(features.split(cuts))
        assert (cut.mean == whole.mean).all()
        assert (cut.covariance == whole.covariance).all()


def test_moments_copy_one_block_at_a_time(monkeypatch: pytest.MonkeyPatch):
    taken = []

    def update(self: Moments, features: torch.Tensor) -> None:
        taken.append((len(features), features.untyped_storage().nbytes() // (3 * 4)))

    monkeypatch.setattr(Moments, "update", update)
    feature_files.moments_of(torch.rand(2500, 3).split([1, 1800, 699]))
    assert taken == [(1000, 1000), (1000, 1000), (500, 500)]


def test_a_distance_loads_every_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    protocol = dict.fromkeys(("label", "extractor", "weights_sha256", "resize"), "x")
    rows = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    reference = tmp_path / "reference.npz"
    feature_files.moments_of([rows]).save(reference, {**protocol, "reference": "images"})
    samples = [tmp_path / str(first) for first in (0, 10)]
    for path, part in zip(samples, rows.split(10), strict=True):
        feature_files.save(path, part, {**protocol, "seed": 4, "first": int(path.name)})
    loaded, load = [], artefact.load
    monkeypatch.setattr(artefact, "load", lambda path: (loaded.append(path), load(path))[1])
    output = tmp_path / "distance.json"
    distance.run(
        distance.Settings(extrapolation=False), reference=reference, samples=samples, output=output
    )
    assert loaded == samples
    result = Distances.read(output)
    assert result.distances == pytest.approx([0], abs=1e-9)
    assert result.seeds == (4,)
    assert result.provenance["inputs"]["samples"] == [load(path).sha256 for path in samples]


def test_a_distance_holds_one_file_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    protocol = dict.fromkeys(("label", "extractor", "weights_sha256", "resize"), "x")
    rows = torch.rand(60, 3, generator=torch.Generator().manual_seed(0))
    reference, output = tmp_path / "reference.npz", tmp_path / "distance.json"
    feature_files.moments_of([rows]).save(reference, {**protocol, "reference": "images"})
    samples = [tmp_path / f"{seed}-{first}" for seed in (4, 5) for first in (0, 15)]
    for path, part in zip(samples, rows.split(15), strict=True):
        seed, first = map(int, path.name.split("-"))
        feature_files.save(path, part, {**protocol, "seed": seed, "first": first})
    held: list[weakref.ref[torch.Tensor]] = []
    most, load = [], artefact.load

    def counted(path: Path) -> artefact.Artefact:
        found = load(path)
        held.append(weakref.ref(found.tensors["features"]))
        most.append(sum(of() is not None for of in held))
        return found

    monkeypatch.setattr(feature_files, "BLOCK", 7)
    monkeypatch.setattr(artefact, "load", counted)
    distance.run(
        distance.Settings(extrapolation=False), reference=reference, samples=samples, output=output
    )
    assert len(most) == 4
    assert max(most) == 1


def test_real_images_have_a_distance_and_no_seed(tmp_path: Path):
    protocol = dict.fromkeys(("label", "extractor", "weights_sha256", "resize"), "x")
    rows = torch.rand(40, 3, generator=torch.Generator().manual_seed(0))
    reference, output = tmp_path / "reference.npz", tmp_path / "distance.json"
    target = feature_files.moments_of([rows[:20]])
    target.save(reference, {**protocol, "reference": "reconstructions"})
    path = tmp_path / "held-out"
    feature_files.save(path, rows[20:], {**protocol, "seed": None, "first": 0})
    distance.run(
        distance.Settings(extrapolation=False), reference=reference, samples=[path], output=output
    )
    result = Distances.read(output)
    assert result.seeds == ()
    assert result.distances == (frechet_distance(feature_files.moments_of([rows[20:]]), target),)


def test_a_distance_is_extrapolated_where_that_is_asked_for(tmp_path: Path):
    protocol = dict.fromkeys(("label", "extractor", "weights_sha256", "resize"), "x")
    rows = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    reference, output = tmp_path / "reference.npz", tmp_path / "distance.json"
    many = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(1))
    feature_files.moments_of([many]).save(reference, {**protocol, "reference": "images"})
    samples = [tmp_path / str(first) for first in (0, 2000)]
    for path, part in zip(samples, (rows + 0.5).split(2000), strict=True):
        feature_files.save(path, part, {**protocol, "seed": 4, "first": int(path.name)})
    found = {}
    for extrapolation in (False, True):
        settings = distance.Settings(extrapolation=extrapolation)
        distance.run(settings, reference=reference, samples=samples, output=output)
        found[extrapolation] = Distances.read(output)
    assert found[False].extrapolated is None
    assert found[True].distances == found[False].distances  # in whatever pieces
    assert found[True].extrapolated == pytest.approx([2 * 0.5**2], abs=0.05)


def test_features_return_with_their_place(tmp_path: Path):
    path = tmp_path / "features"
    feature_files.save(path, torch.ones(2, 3), {"seed": 4, "first": 10})
    piece = feature_files.FeatureFile(path).piece
    assert (piece.seed, piece.first, len(piece.content)) == (4, 10, 2)
    assert torch.equal(piece.content.load(), torch.ones(2, 3))
    artefact.save(path, {"weights": torch.ones(1)}, {})
    with pytest.raises(UserError, match="holds no features of samples"):
        feature_files.FeatureFile(path)
    with pytest.raises(UserError, match="holds no features"):
        feature_files.load(path)
