rule draw:
    input:
        prior=drawn_prior,
    output:
        output=SAMPLES,
        timing=TIMING,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/draw-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/draw-{{seed}}-{{shard}}.tsv"
    wildcard_constraints:
        method=one_of(set(CONFIG.methods) - REJECTIONS),
    params:
        settings=lambda w: plan.to_json(
            plan.draw(CONFIG, w.experiment, w.method, int(w.seed), int(w.shard))
        ),
        code=code("draw"),
    shell:
        STAGE + " --prior {input.prior:q} --output {output.output:q}"
        " --timing {output.timing:q}"


rule reject:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        prior=drawn_prior,
        critic=f"{BRANCH}/critic.safetensors",
    output:
        output=SAMPLES,
        timing=TIMING,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/reject-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/reject-{{seed}}-{{shard}}.tsv"
    wildcard_constraints:
        method=one_of(REJECTIONS),
    params:
        settings=lambda w: plan.to_json(
            plan.reject(CONFIG, w.experiment, w.method, int(w.seed), int(w.shard))
        ),
        code=code("reject"),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --prior {input.prior:q} --critic {input.critic:q}"
        " --output {output.output:q} --timing {output.timing:q}"


rule reference:
    input:
        vqvae=decoder,
        codes=codes,
    output:
        output=f"{RUN}/reference-reconstructions.npz",
    log:
        f"{LOGS}/{{experiment}}/reference.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference.tsv"
    params:
        settings=lambda w: plan.to_json(plan.features(CONFIG, w.experiment)),
        code=lambda w: code("reference", plan.features(CONFIG, w.experiment).kinds),
    shell:
        stage("reference")
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


use rule reference as reward_reference with:
    output:
        output=f"{BRANCH}/reward-reference.npz",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/reward-reference.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/reward-reference.tsv"
    params:
        settings=lambda w: plan.to_json(
            plan.reward_reference(CONFIG, w.experiment, w.method)
        ),
        code=lambda w: code(
            "reference", plan.reward_reference(CONFIG, w.experiment, w.method).kinds
        ),


rule reference_images:
    input:
        data=manifest,
    output:
        output=f"{RUN}/reference-images.npz",
    log:
        f"{LOGS}/{{experiment}}/reference-images.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference-images.tsv"
    params:
        settings=lambda w: plan.to_json(plan.features(CONFIG, w.experiment)),
        code=lambda w: code(
            "reference_images", plan.features(CONFIG, w.experiment).kinds
        ),
    shell:
        STAGE + " --data {input.data:q} --output {output.output:q}"


rule features:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        samples=SAMPLES,
    output:
        output=FEATURES,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/features-{{seed}}-{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/features-{{seed}}-{{shard}}.tsv"
    params:
        settings=lambda w: plan.to_json(plan.features(CONFIG, w.experiment)),
        code=lambda w: code("features", plan.features(CONFIG, w.experiment).kinds),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule distance:
    input:
        reference=reference,
        samples=drawn(FEATURES),
    output:
        output=f"{BRANCH}/distance.json",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/distance.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/distance.tsv"
    params:
        settings=plan.to_json(plan.distance()),
        code=code("distance"),
    shell:
        STAGE + " --reference {input.reference:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule reconstruction:
    input:
        images=f"{RUN}/reference-images.npz",
        reconstructions=f"{RUN}/reference-reconstructions.npz",
    output:
        output=f"{RUN}/reconstruction.json",
    log:
        f"{LOGS}/{{experiment}}/reconstruction.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reconstruction.tsv"
    params:
        settings=plan.to_json(plan.distance()),
        code=code("reconstruction"),
    shell:
        STAGE
        + " --images {input.images:q} --reconstructions {input.reconstructions:q}"
        " --output {output.output:q}"


rule real_features:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        codes=f"{RUN}/codes.safetensors",
    output:
        output=f"{RUN}/features-reconstructions.safetensors",
    log:
        f"{LOGS}/{{experiment}}/real-features.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/real-features.tsv"
    params:
        settings=lambda w: plan.to_json(plan.real_features(CONFIG, w.experiment)),
        code=lambda w: code(
            "real_features", plan.real_features(CONFIG, w.experiment).kinds
        ),
    shell:
        STAGE
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --output {output.output:q}"


rule quality:
    input:
        real=f"{RUN}/features-reconstructions.safetensors",
        samples=drawn(FEATURES),
        timings=drawn(TIMING),
    output:
        output=f"{BRANCH}/quality.json",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/quality.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/quality.tsv"
    params:
        settings=lambda w: plan.to_json(plan.quality(CONFIG, w.experiment)),
        code=code("quality"),
    shell:
        STAGE + " --real {input.real:q} --samples {input.samples:q}"
        " --timings {input.timings:q} --output {output.output:q}"


rule seconds:
    output:
        output=f"{BRANCH}/seconds-{{table}}.json",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("seconds"),
    params:
        settings=lambda w: plan.to_json(
            plan.seconds(
                CONFIG, w.experiment, w.method, CONFIG.tables[w.table].batch_size
            )
        ),
        code=code("seconds"),
    shell:
        STAGE.replace("{threads}", "1") + " --output {output.output:q}"
