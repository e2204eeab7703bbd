"""The configuration: complete experiments from defaults, and one clear line for every fault."""

import copy
import json
import re

import pytest
import yaml

from helpers import small_settings
from helpers.paths import ROOT, TINY
from rarl import targets
from rarl.config import (
    Config,
    ConfigError,
    Crop,
    Frechet,
    IntermediateCredit,
    PixelCritic,
    SingleCredit,
    load,
    parse,
    runs_of,
)
from rarl.config.stages import report
from rarl.config.stages.data import CodesSettings, PrepareSettings
from rarl.config.stages.evaluate import SampleSettings
from rarl.config.stages.train import (
    CriticTraining,
    FinetuneSettings,
    PriorSettings,
    VqvaeSettings,
    needs_decoder,
)
from rarl.layout import Layout
from rarl.report.plan import plan_table

RAW = yaml.safe_load(TINY.read_text())
CRITIC = RAW["defaults"]["rl"]["rewards"]["critic"]["pixel"]
ADVERSARIAL = small_settings.ADVERSARIAL.model_dump()


def edited(path: str, value: object) -> dict:
    """The tiny configuration with a value set, or with a key removed when it is `...`."""
    raw = copy.deepcopy(RAW)
    *parents, last = path.split("/")
    at = raw
    for parent in parents:
        at = at[parent]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return raw


def test_experiment_overlays_defaults_key_by_key():
    config = parse(
        edited("experiments/squares16/rl", {"rewards": {"critic": {"pixel": {"steps": 7}}}})
    )
    rl = config.experiments["squares16"].rl
    assert rl.rewards.critic.pixel.steps == 7
    assert rl.rewards.critic.pixel.hidden_units == CRITIC["hidden_units"]
    assert rl.learning_rate == 1e-4  # YAML 1.1 reads 1e-4 as text


def test_method_overlays_the_rl_of_the_experiment():
    config = parse(edited("methods/single/rl", {"kl_weight": 0.5}))
    assert config.finetuning("squares16", "single").kl_weight == 0.5
    assert config.finetuning("squares16", "partial").kl_weight == 0.05


def test_crop_box_is_read():
    crop = {"left": 1, "top": 2, "side": 3}
    assert parse(edited("datasets/squares/crop", crop)).datasets["squares"].crop == Crop(**crop)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("defaults/prior/dropuot", 0.1, "prior.dropuot: unknown key (did you mean 'dropout'?)"),
        ("defaults/prior/dropout", ..., "prior.dropout: is missing"),
        ("defaults/prior/dropout", 1.0, "prior.dropout: input should be less than 1, but is 1.0"),
        ("defaults/prior/layers", 2.5, "prior.layers: "),
        (
            "defaults/evaluation/kid_subset_size",
            1,
            "kid_subset_size: input should be greater than or equal to 2, but is 1",
        ),
        ("defaults/gpus/vqvae", 3, "gpus.vqvae=3 do not divide a batch of 8 (vqvae)"),
        (
            "experiments/hierarchy16/gpus",
            {"vqvae": 1, "prior": 1, "rl": 4},
            "experiments.hierarchy16.rl for method partial: gpus.rl=4 do not divide a batch of 2",
        ),
        ("defaults/gpus/rl", 8, "gpus.rl=8 do not divide a batch of 4 (rl, contexts)"),
        ("defaults/limits/kl/action", "ignore", "limits.kl.action: input should be 'stop' or"),
        ("defaults/sampling/shards", 3, "shards=3 are more than the 2 batches"),
        ("defaults/prior/layers", True, "prior.layers: input should be a valid integer"),
        ("defaults/prior/filter_size", 4, "must be odd"),
        ("defaults/prior/attention_heads", 3, "is not divisible by attention_heads=3"),
        ("defaults/prior/attention_layers", 3, "attention_layers=3 is more than layers=2"),
        ("defaults/rl/learning_rate", float("nan"), "rl.learning_rate: "),
        (
            "defaults/rl/rewards/critic/pixel/stem_stride",
            3,
            "critic.pixel.stem_stride: must be 1 or even",
        ),
        ("defaults/latents", [8], "the finest grid in latents is 8"),
        ("defaults/latents", [3, 4], "latents=[3, 4]: a grid has half the side of the next finer"),
        ("defaults/latents", [1, 2, 4], "latents: "),
        ("experiments/hierarchy16/prior/bottom", {"layrs": 1}, "prior.bottom.layrs: unknown key"),
        ("experiments/hierarchy16/prior/top", {"layers": 0}, "prior.top.layers: "),
        ("defaults/rl/part/single", 0.3, "part: 0.3 of 4 rows is 1.2, but must be a multiple of 1"),
        ("defaults/rl/part/bottom", 0.25, "part: 0.25 of 4 rows is 1, but must be a multiple of 2"),
        ("defaults/rl/part/top", 0.5, "part: bottom is more than top"),
        ("defaults/rl/part/top", 0.0, "rl.part.top: "),
        (
            "defaults/rl/rewards/critic/pixel/map_size",
            5,
            "map_size=5 is none of the widths before final_size, [8]",
        ),
        (
            "methods/intermediate/rl/reward/map_size",
            0,
            "methods.intermediate.rl: credit: intermediate needs reward.map_size above 0",
        ),
        ("defaults/sampling/seeds", [1, 1], "holds one twice"),
        ("defaults/vqvae/upsampling", "bilinear", "vqvae.upsampling: "),
        ("defaults/vqvae/codebook_distance", "cos", "vqvae.codebook_distance: "),
        ("defaults/vqvae/perceptual", {"weight": 1.0}, "vqvae.perceptual.extractor: is missing"),
        (
            "defaults/vqvae/perceptual",
            {"extractor": "efficientnet_lite0", "weights": None, "weight": 1.0},
            "vqvae.perceptual.extractor=efficientnet_lite0 is a network of evaluation.extractors",
        ),
        (
            "defaults/rl/rewards/frechet/extractor",
            "mobilenet_v2",
            "method frechet: reward.extractor=mobilenet_v2 is a network of evaluation.extractors",
        ),
        ("defaults/evaluation/extractors", [], "evaluation.extractors: "),
        (
            "defaults/evaluation/extractors",
            ["inception", "inception"],
            "evaluation: extractors ['inception', 'inception'] holds one twice",
        ),
        ("defaults/evaluation/weights", "w.pt", "evaluation.weights: "),
        (
            "defaults/evaluation/weights",
            {"inception": "w.pt"},
            "weights.inception: is none of extractors ['efficientnet_lite0']",
        ),
        (
            "defaults/evaluation/extractor",
            "inception",
            "extractor is now extractors, a list: [inception]",
        ),
        (
            "defaults/vqvae/adversarial",
            ADVERSARIAL | {"start_step": 6},
            "adversarial.start_step=6 is not below steps=6",
        ),
        (
            "defaults/vqvae/adversarial",
            ADVERSARIAL | {"layers": 3},
            "vqvae.adversarial.layers=3 leave nothing of image_size=16 to score",
        ),
        ("experiments/squares16/dataset", "square", "(did you mean 'squares'?)"),
        ("experiments/README.md", RAW["experiments"]["squares16"], "taken in the folder"),
        ("datasets/squares/kind", "lmdb", "datasets.squares: "),
        ("datasets/squares/crop", "middle", "datasets.squares.crop"),
        ("methods/single/rl", {"kl_wieght": 1}, "methods.single.rl.kl_wieght: unknown key"),
        ("methods/single/rl", {"iterations": 1}, "methods.single.rl.iterations: "),
        ("tables/tiny/rows", ["mle", "doubel"], "tables.tiny.rows: no method is named 'doubel'"),
        ("tables/tiny/titel", "x", "tables.tiny.titel: unknown key (did you mean 'title'?)"),
        ("tables/tiny/kind", "distances", "tables.tiny: "),
        ("methods/rejection/draws", 1, "methods.rejection.draws: input should be greater"),
        ("methods/rejection/of", "mel", "methods.rejection.of: no fine-tuning method is named"),
        ("methods/rejection/of", "rejection", "methods.rejection.of: no fine-tuning method"),
        ("experiments/oracle16/oracle/of", "hierarchy16", "hierarchy16 has another latents"),
        ("experiments/oracle16/prior/flip", True, "prior.flip must be false"),
        ("experiments/oracle16/oracle/prior", {"layrs": 2}, "oracle.prior.layrs: unknown key"),
        ("experiments/oracle16/seed", 3, "squares16 has another seed, so its codes differ"),
        ("tables/oracle/experiment", "squares16", "squares16 must be an experiment on an oracle"),
        ("tables/tiny/columns", {"oracle16": "x"}, "must be an experiment on images"),
        (
            "tables/oracle/rows",
            ["rejection"],
            "tables.oracle.rows: no fine-tuning method is named 'rejection'",
        ),
        (
            "figures/time/rows",
            ["rejection"],
            "figures.time.rows: no fine-tuning method is named 'rejection'",
        ),
        ("tables/architecture/experiment", "x", "tables.architecture.experiment: no experiment"),
        ("tables/reconstruction/paper", [1, 2], "paper: has 2 figures for 1 columns"),
        (
            "methods/frechet/rl/part/single",
            0.5,
            "methods.frechet.rl: reward: frechet compares whole images, so part must be 1.0",
        ),
        (
            "defaults/rl/rewards/frechet",
            ...,
            "methods.frechet.rl.reward.extractor: is missing; every value must be set",
        ),
        ("methods/single/label", "MLE", "methods.single.label: 'MLE' is that of mle, too"),
        ("methods/mle/rl", {"kl_weight": 9.0}, "methods.mle.rl.kl_weight: has no effect on"),
        ("methods/cold/temperature", 0, "methods.cold.temperature: input should be greater than 0"),
        ("methods/cold/of", "cold", "methods.cold.of: no fine-tuning method is named 'cold'"),
        ("methods/cold/rl", {"discount": 1}, "methods.cold.rl: "),
        ("methods/rejection/rl", {"kl_weight": 9.0}, "methods.rejection.rl.kl_weight: has no"),
        (
            "defaults/rl/rewards/critic/pixel/batch_size",
            5,
            "reward.batch_size=5 of the critic is",
        ),
        ("defaults/rl/batch_size", 1, "rl.batch_size: input should be greater"),
        ("defaults/sampling/count", 1, "sampling.count: input should be greater"),
        ("defaults/rl/rewards/critic/pixel/stem_stride", 32, "leave nothing of 16x16"),
        ("experiments/squares16/prior", {"bottom": {"layrs": 1}}, "prior.bottom.layrs: unknown"),
        ("tables/tiny/paper", ..., "tables.tiny.paper: is missing; every value must be set"),
        ("figures/samples-x", RAW["figures"]["figure1"], "figures.samples-x: such names are"),
        ("figures/figure1/rows", ["mel"], "figures.figure1.rows: no method is named 'mel'"),
        ("tables/tiny/columns", {"x": "X"}, "tables.tiny.columns: no experiment is named 'x'"),
        ("tables/tiny/paper", {"mle": [1, 2]}, "paper.mle: has 2 figures for 1 columns"),
        ("tables/a table", RAW["tables"]["tiny"], "may hold only letters"),
        ("experiments/data", {"dataset": "squares", "image_size": 16}, "experiments.data: "),
        ("results", "{x}", "results: must name a folder"),
        ("reslts", "x", "reslts: unknown key (did you mean 'results'?)"),
        ("defaults", [1], "defaults: must be a mapping"),
        ("experiments", None, "experiments: "),
    ],
)
def test_fault_is_one_line_that_names_the_key(path, value, message):
    with pytest.raises(ConfigError) as caught:
        parse(edited(path, value))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "\x00"])
def test_file_that_is_no_mapping(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    for paths in ((path,), (path, TINY), (TINY, path)):
        with pytest.raises(ConfigError, match=r"config\.yaml: "):
            load(*paths)


def test_later_files_overlay_earlier_ones(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("defaults: {rl: {kl_weight: 0.7}}\nfigures: {}\n")
    config = load(TINY, own)
    assert config.experiments["squares16"].rl.kl_weight == 0.7
    assert config.experiments["squares16"].rl.batch_size == 4
    assert set(config.figures) == set(load(TINY).figures)  # an empty mapping removes nothing
    own.write_text("defaults: {rl: {kl_wieght: 0.7}}\n")
    with pytest.raises(ConfigError, match=r"tiny\.yaml .*own\.yaml: .*kl_wieght: unknown key"):
        load(TINY, own)


def test_file_that_does_not_exist(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "absent.yaml")


def test_equal_settings_are_equal_text_and_survive_the_command_line():
    config, again = load(TINY), parse(json.loads(json.dumps(RAW)))
    for settings in (
        PrepareSettings.from_config(config, "squares", 16),
        VqvaeSettings.from_config(config, "squares16"),
        PriorSettings.from_config(config, "hierarchy16", "bottom"),
        FinetuneSettings.from_config(config, "squares16", "mle"),
        FinetuneSettings.from_config(config, "squares16", "single"),
        SampleSettings.from_config(config, "squares16", "mle", 1, 0),
        plan_table(config, Layout(config.results), "tiny").settings,
    ):
        assert type(settings).from_json(settings.to_json()) == settings
    first, second = (
        VqvaeSettings.from_config(config, "squares16"),
        VqvaeSettings.from_config(again, "squares16"),
    )
    assert first.to_json() == second.to_json()


def training(config: Config) -> dict[str, str]:
    """What each method that trains is given in an experiment, as its rule passes it."""
    given = {
        name: FinetuneSettings.from_config(config, "squares16", name) for name in config.finetuned
    }
    return {
        name: settings.to_json()
        for name, settings in (*given.items(), ("rejection", rejection_critic(config)))
    }


def rejection_critic(config: Config) -> CriticTraining:
    return CriticTraining.from_config(config, "squares16", "rejection")


TRAINED = {"mle", "single", "intermediate", "partial", "frechet", "rejection"}
REWARDED = TRAINED - {"mle", "rejection"}
WITH_CRITIC = TRAINED - {"mle", "frechet"}
OF_CRITIC = {
    "loss": "logistic",
    "stem_stride": 1,
    "hidden_units": 16,
    "max_units": 32,
    "final_size": 2,
    "map_size": 8,
    "batch_size": 2,
    "steps": 2,
    "warmup_steps": 2,
    "learning_rate": 0.5,
    "gradient_penalty": 0.5,
    "penalty_every": 2,
    "ema_decay": 0.5,
}
OF_FRECHET = {
    "extractor": "efficientnet_lite2",
    "weights": "weights.pt",
    "window": 41,
    "ridge": 0.5,
    "refresh_every": 3,
    "warmup_steps": 3,
}


@pytest.mark.parametrize(
    ("path", "value", "methods"),
    [
        *(
            (f"rl/rewards/critic/pixel/{key}", value, WITH_CRITIC)
            for key, value in OF_CRITIC.items()
        ),
        *((f"rl/rewards/frechet/{key}", value, {"frechet"}) for key, value in OF_FRECHET.items()),
        ("rl/credits/intermediate/discount", 0.5, {"intermediate", "frechet"}),
        ("rl/credits/intermediate/whole_weight", 0.25, {"intermediate", "frechet"}),
        ("rl/kl_weight", 0.5, REWARDED),
        ("rl/mle_weight", 0.5, REWARDED),
        ("rl/start_temperature", 0.5, REWARDED),
        ("rl/rollouts_per_context", 4, REWARDED - {"partial"}),  # it sets its own
        ("rl/learning_rate", 0.5, TRAINED - {"rejection"}),
        ("rl/iterations", 5, TRAINED),
        ("rl/log_every", 2, TRAINED),
        ("limits/wasserstein/most", 9.0, WITH_CRITIC),
        ("limits/kl/most", 9.0, REWARDED),
    ],
)
def test_a_setting_trains_again_the_methods_that_read_it(path, value, methods):
    """And no other: the settings of a stage hold nothing else."""
    raw = copy.deepcopy(RAW)
    at = raw["experiments"]["squares16"]
    *parents, last = path.split("/")
    for parent in parents:
        at = at.setdefault(parent, {})
    at[last] = value
    before, after = training(parse(RAW)), training(parse(raw))
    if path.endswith("map_size"):
        methods = methods - {"intermediate"}  # it sets its own
    assert {name for name in TRAINED if before[name] != after[name]} == methods
    assert before.keys() == TRAINED


def test_the_cases_are_all_settings_of_the_kinds():
    rl = RAW["defaults"]["rl"]
    assert OF_CRITIC.keys() == rl["rewards"]["critic"]["pixel"].keys()
    assert OF_FRECHET.keys() == rl["rewards"]["frechet"].keys()


def test_a_method_takes_the_values_of_the_kind_that_it_names():
    """An experiment's critic stays out of a Frechet method; keys beside `kind` overlay."""
    raw = edited("experiments/squares16/rl", {"rewards": {"critic": {"pixel": {"stem_stride": 4}}}})
    raw["methods"]["single"]["rl"] = {"reward": {"steps": 7}}
    raw["methods"]["frechet"]["rl"]["reward"]["window"] = 50
    config = parse(raw)
    single = config.finetuning("squares16", "single")
    assert single.reward == PixelCritic(
        **CRITIC | {"learning_rate": 1e-4, "stem_stride": 4, "steps": 7}
    )
    assert single.credit == SingleCredit()
    frechet = config.finetuning("squares16", "frechet")
    rl = raw["defaults"]["rl"]
    assert frechet.reward == Frechet(**rl["rewards"]["frechet"] | {"window": 50})
    assert frechet.credit == IntermediateCredit(**rl["credits"]["intermediate"])


def test_rejection_has_a_critic_whatever_the_reward_of_the_experiment():
    raw = edited("experiments/squares16/rl", {"reward": {"kind": "frechet"}})
    raw["methods"]["partial"]["rl"]["reward"] = {"kind": "critic"}
    raw["methods"]["intermediate"]["rl"]["credit"]["discount"] = 0.1
    assert rejection_critic(parse(raw)) == rejection_critic(parse(RAW))
    raw["methods"]["rejection"]["rl"] = {"reward": {"kind": "critic", "steps": 3}}
    assert rejection_critic(parse(raw)).critic == PixelCritic(
        **CRITIC | {"learning_rate": 1e-4, "steps": 3}
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "methods/single/rl",
            {"reward": {"kind": "critic", "window": 9}},
            "methods.single.rl.reward.window: is a setting of kind frechet, not of critic",
        ),
        (
            "methods/frechet/rl/reward/learning_rate",
            0.1,
            "methods.frechet.rl.reward.learning_rate: is a setting of kind critic, not of frechet",
        ),
        (
            "methods/single/rl",
            {"credit": {"discount": 0.1}},
            "methods.single.rl.credit.discount: is a setting of kind intermediate, not of single",
        ),
        (
            "methods/single/rl",
            {"reward": {"kind": "frechett"}},
            "methods.single.rl.reward.kind: no kind of reward is named 'frechett' (did you mean",
        ),
        (
            "methods/single/rl",
            {"reward": "frechet"},
            "methods.single.rl.reward: must be a mapping such as {kind: critic}",
        ),
        (
            "methods/single/rl",
            {"reward": {"stepz": 1}},
            "methods.single.rl.reward.stepz: unknown key (did you mean 'steps'?)",
        ),
        (
            "methods/single/rl",
            {"reward": {"steps": 0}},
            "methods.single.rl.reward.steps: input should be greater than or equal to 1",
        ),
        (
            "methods/single/rl",
            {"rewards": {"critic": {"steps": 2}}},
            "methods.single.rl.rewards: is for experiments; a method sets reward: {kind: ...}",
        ),
        (
            "experiments/squares16/rl",
            {"reward": {"steps": 2}},
            "experiments.squares16.rl: reward.steps belongs below its kind in rl.rewards",
        ),
        (
            "experiments/squares16/rl",
            {"rewards": {"frechet": {"steps": 2}}},
            "experiments.squares16.rl.rewards.frechet.steps: unknown key",
        ),
        (
            "methods/mle/rl",
            {"reward": {"kind": "critic"}},
            "methods.mle.rl.reward: has no effect on objective: mle",
        ),
        (
            "methods/rejection/rl",
            {"credit": {"kind": "single"}},
            "methods.rejection.rl.credit: has no effect on objective: rejection",
        ),
        (
            "methods/rejection/rl",
            {"reward": {"kind": "frechet"}},
            "methods.rejection.rl.reward.kind: must be critic",
        ),
    ],
)
def test_a_setting_of_another_kind_is_refused(path, value, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        parse(edited(path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "in_experiment", "in_method"),
    [
        ({"source": "frechet"}, "source is now rl.reward: {kind", "source is now rl.reward: {kind"),
        ({"reward": "single"}, "now rl.credit: {kind: single}", "now rl.credit: {kind: single}"),
        (
            {"critic": {"steps": 1}},
            "critic is now rl.rewards.critic",
            "critic is now rl.reward, beside kind: critic",
        ),
        (
            {"frechet": {"window": 1}},
            "frechet is now rl.rewards.frechet",
            "frechet is now rl.reward, beside kind: frechet",
        ),
        (
            {"discount": 0.5},
            "discount is now rl.credits.intermediate.discount",
            "discount is now rl.credit, beside kind: intermediate",
        ),
        (
            {"whole_weight": 0.5},
            "whole_weight is now rl.credits.intermediate.whole_weight",
            "whole_weight is now rl.credit, beside kind: intermediate",
        ),
    ],
)
def test_an_old_key_is_refused_with_the_new_one_named(old, in_experiment, in_method):
    for path, where, message in (
        ("experiments/squares16/rl", "experiments.squares16.rl", in_experiment),
        ("methods/single/rl", "methods.single.rl", in_method),
    ):
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            parse(edited(path, old))
        assert str(caught.value).startswith(f"{where}: ")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("critic_input", "sees"), [("codes", "codes, 4x4"), ("images", "images, 16x16")]
)
def test_an_oracles_critic_is_sized_for_what_it_sees(critic_input: str, sees: str):
    raw = edited("experiments/oracle16/oracle/critic_input", critic_input)
    raw["experiments"]["oracle16"]["rl"] = {"rewards": {"critic": {"pixel": {"stem_stride": 64}}}}
    with pytest.raises(ConfigError, match=f"leave nothing of {sees.partition(', ')[2]}"):
        parse(raw)
    config = parse(edited("experiments/oracle16/oracle/critic_input", critic_input))
    rewarded = {
        method: needs_decoder(config, "oracle16", method) for method in ("mle", "single", "frechet")
    }
    assert rewarded == {"mle": False, "single": critic_input == "images", "frechet": True}


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ({"botom prior": ["steps"]}, "ours: no prior is named 'botom prior' (did you mean"),
        ({"prior": ["step"]}, "ours.prior: no setting of a prior is named 'step' (did you mean"),
    ],
)
def test_what_is_marked_as_ours_exists(ours: dict[str, list[str]], message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(edited("tables/architecture/ours", ours))


@pytest.mark.parametrize(
    ("experiment", "images"), [("celeba-128-16", 202_599), ("celeba-hq-512-32-64", 30_000)]
)
def test_the_papers_steps_are_100_epochs_of_all_images(experiment: str, images: int):
    config = load(ROOT / "config" / "paper.yaml")
    of = config.experiments[experiment]
    trained_on = images * (1 - config.datasets[of.dataset].val_fraction)
    assert of.vqvae.steps * of.vqvae.batch_size / trained_on == pytest.approx(100, rel=0.02)


def test_a_table_is_not_called_like_a_tidy_csv():
    raw = edited("tables/tiny.long", RAW["tables"]["tiny"])
    with pytest.raises(ConfigError, match=r"tables\.tiny\.long: a name that ends in \.long"):
        parse(raw)


def test_a_tempered_method_draws_from_another_ones_prior():
    config = parse(RAW)
    assert config.prior_of("cold") == config.prior_of("rejection") == "mle"
    assert config.prior_of("partial") == "partial"
    drawn = {
        name: SampleSettings.from_config(config, "squares16", name, 1, 0)
        for name in ("mle", "cold")
    }
    assert drawn["cold"] == drawn["mle"].model_copy(update={"temperature": 0.5})


def test_a_tempered_method_that_would_train_is_refused():
    message = "methods.cold.rl: kl_weight has no effect: objective tempered trains nothing"
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(edited("methods/cold/rl", {"kl_weight": 1.0}))


def test_bfloat16_with_top_k_is_refused():
    raw = edited("defaults/precision", "bfloat16")
    assert SampleSettings.from_config(parse(raw), "squares16", "mle", 1, 0).precision == "bfloat16"
    raw["defaults"]["sampling"]["top_k"] = 3
    with pytest.raises(ConfigError, match="top_k=3 with precision: bfloat16: the codes among"):
        parse(raw)


@pytest.mark.parametrize("name", ["forms", "seeds", "tokenizer"])
def test_what_is_put_over_the_default_fits_it(name: str):
    root = ROOT
    over = load(root / "config.yaml", root / "config" / f"{name}.yaml")
    assert name in over.tables
    assert over.tables.keys() > load(root / "config.yaml").tables.keys()


def test_a_replicated_table_has_an_experiment_for_every_training_seed():
    config = parse(RAW)
    own, other = config.experiments["squares16"], config.experiments["squares16-seed-3"]
    assert other == own.model_copy(update={"seed": 3})
    table = config.tables["replicated"]
    assert runs_of(config, table) == ("squares16", "squares16-seed-3")
    assert runs_of(config, config.tables["tiny"]) == ("squares16",)
    assert report.methods(config, "squares16-seed-3") == table.methods


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("tables/replicated/training_seeds", [3, 3], "replicated.training_seeds: [3, 3] holds one"),
        ("tables/replicated/training_seeds", [3], "replicated.training_seeds: "),
        (
            "tables/replicated/rows",
            ["mle", "rejection"],
            "no fine-tuning method is named 'rejection'",
        ),
        ("tables/replicated/columns", {"oracle16": "x"}, "must be an experiment on images"),
        (
            "experiments/squares16-seed-3",
            {"dataset": "squares", "image_size": 16},
            "squares16-seed-3 is the name of training seed 3 of squares16",
        ),
    ],
)
def test_a_replicated_table_that_cannot_be_made_is_refused(path, value, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(edited(path, value))


def test_figures_show_the_methods_of_the_first_table():
    raw = edited("tables/tiny/rows", ["single"])
    raw["tables"]["tiny"]["paper"] = {}
    assert report.methods(parse(raw), "squares16") == ("single",)
    raw = edited("tables", {})
    assert report.methods(parse(raw), "squares16") == ("mle", "single")  # of figure1
    raw["figures"] = {}
    every = ("mle", "single", "intermediate", "partial", "frechet", "cold", "rejection")
    assert report.methods(parse(raw), "squares16") == every


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/tables/tiyn.csv", "no table is named 'tiyn' (did you mean 'tiny'?)"),
        ("results/figures/curves-square16.png", "(did you mean 'curves-squares16'?)"),
        ("results/figures/figure2.png", "no figure is named 'figure2' (did you mean 'figure1'?)"),
        ("results/squares61/vqvae.safetensors", "no experiment is named 'squares61'"),
        ("results/squares16/singel/distance.json", "(did you mean 'single'?)"),
    ],
)
def test_unknown_target(target, message):
    with pytest.raises(ConfigError) as caught:
        targets.check(load(TINY), target)
    assert str(caught.value).startswith(f"{target}: no ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "all",
        "results/tables/tiny.md",
        "results/figures/samples-squares16.png",
        "results/figures/figure1.png",
        "results/data/squares-16/manifest.json",
        "results/squares16/prior.jsonl",
        "results/squares16/mle/samples-0-0.safetensors",
        "elsewhere/tables/tiyn.csv",
    ],
)
def test_other_arguments_pass(target):
    targets.check(load(TINY), target)


def test_mirrored_codes_are_made_where_a_prior_reads_them():
    raw = edited("defaults/prior/flip", False)
    assert not CodesSettings.from_config(parse(raw), "squares16").flip
    raw["experiments"]["oracle16"]["oracle"]["prior"]["flip"] = True  # it learns squares16's codes
    assert CodesSettings.from_config(parse(raw), "squares16").flip
    assert CodesSettings.from_config(load(TINY), "squares16").flip
