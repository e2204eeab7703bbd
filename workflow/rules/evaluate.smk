rule sample:
    input:
        prior=sampled_prior,
    output:
        output=FILES.samples,
        timing=FILES.timing,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/sample-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/sample-{{seed}}-{{shard}}.tsv"
    wildcard_constraints:
        method=one_of(set(CONFIG.methods) - REJECTIONS),
    params:
        **job(
            "sample",
            lambda w: SampleSettings.from_config(
                CONFIG, w.experiment, w.method, int(w.seed), int(w.shard)
            ),
        ),
    shell:
        STAGE + " --prior {input.prior:q} --output {output.output:q}"
        " --timing {output.timing:q}"


rule reject:
    input:
        vqvae=FILES.vqvae,
        prior=sampled_prior,
        critic=FILES.critic,
    output:
        output=FILES.samples,
        timing=FILES.timing,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/reject-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/reject-{{seed}}-{{shard}}.tsv"
    wildcard_constraints:
        method=one_of(REJECTIONS),
    params:
        **job(
            "reject",
            lambda w: RejectSettings.from_config(
                CONFIG, w.experiment, w.method, int(w.seed), int(w.shard)
            ),
        ),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --prior {input.prior:q} --critic {input.critic:q}"
        " --output {output.output:q} --timing {output.timing:q}"


rule reference:
    input:
        vqvae=decoder,
        codes=codes,
    output:
        output=FILES.reference.replace("{reference}", "reconstructions"),
    log:
        f"{LOGS}/{{experiment}}/reference-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference-{{extractor}}.tsv"
    params:
        **job(
            "reference",
            lambda w: ReferenceSettings.from_config(CONFIG, w.experiment, w.extractor),
        ),
    shell:
        stage("reference")
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


use rule reference as reward_reference with:
    output:
        output=FILES.reward_reference,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/reward-reference.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/reward-reference.tsv"
    params:
        **job(
            "reference",
            lambda w: ReferenceSettings.of_reward(CONFIG, w.experiment, w.method),
        ),


rule reference_images:
    input:
        data=manifest,
    output:
        output=FILES.reference.replace("{reference}", "images"),
    log:
        f"{LOGS}/{{experiment}}/reference-images-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference-images-{{extractor}}.tsv"
    params:
        **job(
            "reference_images",
            lambda w: ReferenceSettings.from_config(CONFIG, w.experiment, w.extractor),
        ),
    shell:
        STAGE + " --data {input.data:q} --output {output.output:q}"


rule features:
    input:
        vqvae=FILES.vqvae,
        samples=FILES.samples,
    output:
        output=FILES.features,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/features-{{extractor}}-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/features-{{extractor}}-{{seed}}-{{shard}}.tsv"
    params:
        **job(
            "features",
            lambda w: FeaturesSettings.from_config(CONFIG, w.experiment, w.extractor),
        ),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule real_features:
    input:
        vqvae=FILES.vqvae,
        codes=FILES.codes,
    output:
        output=FILES.real_features,
    log:
        f"{LOGS}/{{experiment}}/real-features-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/real-features-{{extractor}}.tsv"
    params:
        **job(
            "real_features",
            lambda w: RealFeaturesSettings.from_config(
                CONFIG, w.experiment, w.extractor
            ),
        ),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


rule held_out_features:
    input:
        vqvae=FILES.vqvae,
        codes=FILES.codes,
    output:
        output=FILES.held_out_features,
    log:
        f"{LOGS}/{{experiment}}/held-out-features-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/held-out-features-{{extractor}}.tsv"
    params:
        **job(
            "held_out_features",
            lambda w: HeldOutFeaturesSettings.from_config(
                CONFIG, w.experiment, w.extractor
            ),
        ),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


rule distance:
    input:
        reference=reference,
        samples=shards(FILES.features),
    output:
        output=FILES.distance,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/distance-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/distance-{{extractor}}.tsv"
    params:
        **job("distance", lambda w: DistanceSettings.from_config(CONFIG, w.experiment)),
    shell:
        stage("distance")
        + " --reference {input.reference:q} --samples {input.samples:q}"
        " --output {output.output:q}"


use rule distance as held_out_distance with:
    input:
        reference=reference,
        samples=FILES.held_out_features,
    output:
        output=FILES.held_out_distance,
    log:
        f"{LOGS}/{{experiment}}/held-out-distance-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/held-out-distance-{{extractor}}.tsv"


rule reconstruction:
    input:
        images=FILES.reference.replace("{reference}", "images"),
        reconstructions=FILES.reference.replace("{reference}", "reconstructions"),
    output:
        output=FILES.reconstruction,
    log:
        f"{LOGS}/{{experiment}}/reconstruction-{{extractor}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reconstruction-{{extractor}}.tsv"
    params:
        **job("reconstruction", lambda w: ReconstructionSettings()),
    shell:
        STAGE
        + " --images {input.images:q} --reconstructions {input.reconstructions:q}"
        " --output {output.output:q}"


def of_first_extractor(pattern):
    """A file of the features that quality is measured on."""
    return lambda w: pattern.format(extractor=first_extractor(w), **w)


rule quality:
    input:
        real=of_first_extractor(FILES.real_features),
        samples=lambda w: shards(
            FILES.features.replace("{extractor}", first_extractor(w))
        )(w),
        held_out=of_first_extractor(FILES.held_out_features),
        timings=shards(FILES.timing),
    output:
        output=FILES.quality,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/quality.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/quality.tsv"
    params:
        **job("quality", lambda w: QualitySettings.from_config(CONFIG, w.experiment)),
    shell:
        stage("quality") + " --real {input.real:q} --samples {input.samples:q}"
        " --held-out {input.held_out:q} --timings {input.timings:q}"
        " --output {output.output:q}"


use rule quality as held_out_quality with:
    input:
        real=of_first_extractor(FILES.real_features),
        samples=of_first_extractor(FILES.held_out_features),
        held_out=[],
        timings=[],
    output:
        output=FILES.held_out_quality,
    log:
        f"{LOGS}/{{experiment}}/held-out-quality.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/held-out-quality.tsv"


rule seconds:
    output:
        output=FILES.seconds,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/{{table}}.tsv"
    wildcard_constraints:
        table=one_of(name for name, of in CONFIG.tables.items() if of.kind == "seconds"),
    params:
        **job(
            "seconds",
            lambda w: SecondsSettings.from_config(
                CONFIG, w.experiment, w.method, w.table
            ),
        ),
    shell:
        STAGE.replace("{threads}", "1") + " --output {output.output:q}"
