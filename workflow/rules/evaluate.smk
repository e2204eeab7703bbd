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
        f"{LOGS}/{{experiment}}/reference.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference.tsv"
    params:
        **job("reference", lambda w: FeaturesSettings.from_config(CONFIG, w.experiment)),
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
            lambda w: FeaturesSettings.of_reward(CONFIG, w.experiment, w.method),
        ),


rule reference_images:
    input:
        data=manifest,
    output:
        output=FILES.reference.replace("{reference}", "images"),
    log:
        f"{LOGS}/{{experiment}}/reference-images.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference-images.tsv"
    params:
        **job(
            "reference_images",
            lambda w: FeaturesSettings.from_config(CONFIG, w.experiment),
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
        f"{LOGS}/{{experiment}}/{{method}}/features-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/features-{{seed}}-{{shard}}.tsv"
    params:
        **job("features", lambda w: FeaturesSettings.from_config(CONFIG, w.experiment)),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule distance:
    input:
        reference=reference,
        samples=shards(FILES.features),
    output:
        output=FILES.distance,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/distance.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/distance.tsv"
    params:
        **job("distance", lambda w: DistanceSettings()),
    shell:
        STAGE + " --reference {input.reference:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule reconstruction:
    input:
        images=FILES.reference.replace("{reference}", "images"),
        reconstructions=FILES.reference.replace("{reference}", "reconstructions"),
    output:
        output=FILES.reconstruction,
    log:
        f"{LOGS}/{{experiment}}/reconstruction.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reconstruction.tsv"
    params:
        **job("reconstruction", lambda w: DistanceSettings()),
    shell:
        STAGE
        + " --images {input.images:q} --reconstructions {input.reconstructions:q}"
        " --output {output.output:q}"


rule real_features:
    input:
        vqvae=FILES.vqvae,
        codes=FILES.codes,
    output:
        output=FILES.real_features,
    log:
        f"{LOGS}/{{experiment}}/real-features.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/real-features.tsv"
    params:
        **job(
            "real_features",
            lambda w: RealFeaturesSettings.from_config(CONFIG, w.experiment),
        ),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


rule quality:
    input:
        real=FILES.real_features,
        samples=shards(FILES.features),
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
        STAGE + " --real {input.real:q} --samples {input.samples:q}"
        " --timings {input.timings:q} --output {output.output:q}"


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
