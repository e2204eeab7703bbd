rule vqvae:
    input:
        data=manifest,
    output:
        output=f"{RUN}/vqvae.safetensors",
        metrics=f"{RUN}/vqvae.jsonl",
    log:
        f"{LOGS}/{{experiment}}/vqvae.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/vqvae.tsv"
    wildcard_constraints:
        experiment=one_of(set(CONFIG.experiments) - ORACLES),
    priority: LONG
    threads: gpus("vqvae")
    params:
        settings=lambda w: plan.to_json(plan.vqvae(CONFIG, w.experiment)),
        code=code("vqvae"),
        gpus=gpus("vqvae"),
    shell:
        TRAIN + " --data {input.data:q} --output {output.output:q}"
        " --metrics {output.metrics:q}"


rule codes:
    input:
        data=manifest,
        vqvae=f"{RUN}/vqvae.safetensors",
    output:
        output=f"{RUN}/codes.safetensors",
    log:
        f"{LOGS}/{{experiment}}/codes.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/codes.tsv"
    params:
        settings=lambda w: plan.to_json(plan.codes(CONFIG, w.experiment)),
        code=code("codes"),
    shell:
        STAGE
        + " --data {input.data:q} --vqvae {input.vqvae:q} --output {output.output:q}"


rule prior:
    input:
        codes=codes,
    output:
        output=f"{RUN}/prior-{{grid}}.safetensors",
        metrics=f"{RUN}/prior-{{grid}}.jsonl",
    log:
        f"{LOGS}/{{experiment}}/prior-{{grid}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/prior-{{grid}}.tsv"
    priority: LONG
    threads: gpus("prior")
    params:
        settings=lambda w: plan.to_json(plan.prior(CONFIG, w.experiment, w.grid)),
        code=code("prior"),
        gpus=gpus("prior"),
    shell:
        TRAIN + " --codes {input.codes:q} --output {output.output:q}"
        " --metrics {output.metrics:q}"


rule finetune:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        codes=f"{RUN}/codes.safetensors",
        priors=grids(f"{RUN}/prior-{{grid}}.safetensors"),
        reference=reference,
        reward_reference=reward_reference,
    output:
        output=f"{BRANCH}/prior.safetensors",
        metrics=f"{BRANCH}/prior.jsonl",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/finetune.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/finetune.tsv"
    wildcard_constraints:
        experiment=one_of(set(CONFIG.experiments) - ORACLES),
        method=one_of(CONFIG.finetuned),
    priority: LONG
    threads: gpus("rl")
    params:
        settings=lambda w: plan.to_json(plan.finetune(CONFIG, w.experiment, w.method)),
        code=lambda w: code(
            "finetune", plan.finetune(CONFIG, w.experiment, w.method).kinds
        ),
        gpus=gpus("rl"),
    shell:
        TRAIN
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --priors {input.priors:q}"
        " --reference {input.reference:q} --output {output.output:q}"
        " --reward-reference {input.reward_reference:q} --metrics {output.metrics:q}"


rule critic:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        codes=f"{RUN}/codes.safetensors",
        prior=drawn_prior,
    output:
        output=f"{BRANCH}/critic.safetensors",
        metrics=f"{BRANCH}/critic.jsonl",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/critic.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/critic.tsv"
    wildcard_constraints:
        method=one_of(REJECTIONS),
    threads: gpus("rl")
    params:
        settings=lambda w: plan.to_json(plan.critic(CONFIG, w.experiment, w.method)),
        code=code("critic"),
        gpus=gpus("rl"),
    shell:
        TRAIN
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --prior {input.prior:q}"
        " --output {output.output:q} --metrics {output.metrics:q}"
