rule sample:
    input:
        prior=f"{BRANCH}/prior.safetensors",
    output:
        output=f"{BRANCH}/samples-{{seed}}.safetensors",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/sample-{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/sample-{{seed}}.tsv"
    params:
        settings=lambda w: plan.to_json(plan.sample(CONFIG, w.experiment, int(w.seed))),
        code=fingerprint.of("sample"),
    shell:
        STAGE + " --prior {input.prior:q} --output {output.output:q}"


rule reference:
    input:
        data=manifest,
        vqvae=f"{RUN}/vqvae.safetensors",
        codes=f"{RUN}/codes.safetensors",
    output:
        output=f"{RUN}/reference.npz",
    log:
        f"{LOGS}/{{experiment}}/reference.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/reference.tsv"
    params:
        settings=lambda w: plan.to_json(plan.reference(CONFIG, w.experiment)),
        code=fingerprint.of("reference"),
    shell:
        STAGE
        + " --data {input.data:q} --vqvae {input.vqvae:q} --codes {input.codes:q}"
        " --output {output.output:q}"


rule features:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        samples=f"{BRANCH}/samples-{{seed}}.safetensors",
    output:
        output=f"{BRANCH}/features-{{seed}}.npz",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/features-{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/features-{{seed}}.tsv"
    params:
        settings=lambda w: plan.to_json(plan.features(CONFIG, w.experiment)),
        code=fingerprint.of("features"),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule distance:
    input:
        reference=f"{RUN}/reference.npz",
        samples=lambda w: expand(f"{BRANCH}/features-{{seed}}.npz", seed=seeds(w), **w),
    output:
        output=f"{BRANCH}/distance.json",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/distance.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/distance.tsv"
    params:
        settings=plan.to_json(plan.distance()),
        code=fingerprint.of("distance"),
    shell:
        STAGE + " --reference {input.reference:q} --samples {input.samples:q}"
        " --output {output.output:q}"
