# The synthetic experiment: a prior takes the place of the data (paper's Table 4).


rule oracle:
    input:
        codes=lambda w: f"{RUN}/codes.safetensors".format(
            experiment=CONFIG.experiments[w.experiment].oracle.of
        ),
    output:
        output=f"{RUN}/oracle.safetensors",
        metrics=f"{RUN}/oracle.jsonl",
    log:
        f"{LOGS}/{{experiment}}/oracle.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/oracle.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    priority: LONG
    threads: gpus("prior")
    params:
        settings=lambda w: plan.to_json(plan.oracle_prior(CONFIG, w.experiment)),
        code=code("prior"),
        gpus=gpus("prior"),
    shell:
        stage("prior")
        + " --gpus {params.gpus}"
        + " --codes {input.codes:q} --output {output.output:q} --metrics {output.metrics:q}"


rule oracle_codes:
    input:
        oracle=f"{RUN}/oracle.safetensors",
    output:
        output=f"{RUN}/oracle-codes.safetensors",
    log:
        f"{LOGS}/{{experiment}}/oracle-codes.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/oracle-codes.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    params:
        settings=lambda w: plan.to_json(plan.oracle_codes(CONFIG, w.experiment)),
        code=code("oracle_codes"),
    shell:
        STAGE + " --oracle {input.oracle:q} --output {output.output:q}"


rule finetune_oracle:
    input:
        oracle=f"{RUN}/oracle.safetensors",
        codes=f"{RUN}/oracle-codes.safetensors",
        priors=grids(f"{RUN}/prior-{{grid}}.safetensors"),
        vqvae=reward_decoder,
        reward_reference=reward_reference,
    output:
        output=f"{BRANCH}/prior.safetensors",
        metrics=f"{BRANCH}/prior.jsonl",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/finetune.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/finetune.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
        method=one_of(CONFIG.finetuned),
    priority: LONG
    threads: gpus("rl")
    params:
        settings=lambda w: plan.to_json(plan.finetune(CONFIG, w.experiment, w.method)),
        code=lambda w: code(
            "finetune_oracle", plan.finetune(CONFIG, w.experiment, w.method).kinds
        ),
        gpus=gpus("rl"),
    shell:
        TRAIN
        + " --oracle {input.oracle:q} --codes {input.codes:q} --priors {input.priors:q}"
        " --vqvae {input.vqvae:q} --reward-reference {input.reward_reference:q}"
        " --output {output.output:q} --metrics {output.metrics:q}"


rule nll:
    input:
        oracle=f"{RUN}/oracle.safetensors",
        codes=f"{RUN}/oracle-codes.safetensors",
        prior=f"{BRANCH}/prior.safetensors",
        samples=drawn(SAMPLES),
    output:
        output=f"{BRANCH}/nll.json",
    log:
        f"{LOGS}/{{experiment}}/{{method}}/nll.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/nll.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    params:
        settings=lambda w: plan.to_json(plan.nll(CONFIG, w.experiment)),
        code=code("nll"),
    shell:
        STAGE
        + " --oracle {input.oracle:q} --codes {input.codes:q} --prior {input.prior:q}"
        " --samples {input.samples:q} --output {output.output:q}"
