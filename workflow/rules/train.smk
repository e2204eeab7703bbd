rule vqvae:
    input:
        data=manifest,
    output:
        output=FILES.vqvae,
        metrics=train_log(FILES.vqvae),
    log:
        f"{LOGS}/{{experiment}}/vqvae.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/vqvae.tsv"
    wildcard_constraints:
        experiment=one_of(set(CONFIG.experiments) - ORACLES),
    priority: TRAIN_PRIORITY
    threads: cores_of("vqvae")
    params:
        **job("vqvae", lambda w: VqvaeSettings.from_config(CONFIG, w.experiment)),
        processes=processes("vqvae"),
    shell:
        TRAIN + " --data {input.data:q} --output {output.output:q}"
        " --metrics {output.metrics:q}"


rule codes:
    input:
        data=manifest,
        vqvae=FILES.vqvae,
    output:
        output=FILES.codes,
    log:
        f"{LOGS}/{{experiment}}/codes.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/codes.tsv"
    params:
        **job("codes", lambda w: CodesSettings.from_config(CONFIG, w.experiment)),
    shell:
        STAGE
        + " --data {input.data:q} --vqvae {input.vqvae:q} --output {output.output:q}"


rule prior:
    input:
        codes=codes,
    output:
        output=FILES.prior,
        metrics=train_log(FILES.prior),
    log:
        f"{LOGS}/{{experiment}}/prior-{{grid}}.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/prior-{{grid}}.tsv"
    priority: TRAIN_PRIORITY
    threads: cores_of("prior")
    params:
        **job(
            "prior", lambda w: PriorSettings.from_config(CONFIG, w.experiment, w.grid)
        ),
        processes=processes("prior"),
    shell:
        TRAIN + " --codes {input.codes:q} --output {output.output:q}"
        " --metrics {output.metrics:q}"


def reward_reference(wildcards):
    """The moments of real images that the reward of a method needs, where it needs any."""
    if not needs_moments(CONFIG, wildcards.experiment, wildcards.method):
        return []
    return FILES.reward_reference.format(**wildcards)


def tuning_decoder(wildcards):
    """The VQ-VAE, where fine-tuning looks at images; an oracle's codes need none."""
    images = needs_decoder(CONFIG, wildcards.experiment, wildcards.method)
    return decoder(wildcards) if images else []


def selection_target(wildcards):
    """With what model selection compares: the oracle, or moments of real images."""
    oracle = wildcards.experiment in ORACLES
    return (
        FILES.oracle.format(**wildcards) if oracle else selection_reference(wildcards)
    )


rule finetune:
    input:
        codes=codes,
        priors=priors,
        vqvae=tuning_decoder,
        selection_target=selection_target,
        reward_reference=reward_reference,
    output:
        output=FILES.tuned,
        metrics=train_log(FILES.tuned),
    log:
        f"{LOGS}/{{experiment}}/{{method}}/finetune.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/finetune.tsv"
    wildcard_constraints:
        method=one_of(CONFIG.finetuned),
    priority: TRAIN_PRIORITY
    threads: cores_of("rl")
    params:
        **job(
            "finetune",
            lambda w: FinetuneSettings.from_config(CONFIG, w.experiment, w.method),
        ),
        processes=processes("rl"),
    shell:
        TRAIN
        + " --codes {input.codes:q} --priors {input.priors:q} --vqvae {input.vqvae:q}"
        " --selection-target {input.selection_target:q}"
        " --reward-reference {input.reward_reference:q}"
        " --output {output.output:q} --metrics {output.metrics:q}"


rule critic:
    input:
        vqvae=FILES.vqvae,
        codes=FILES.codes,
        prior=sampled_prior,
    output:
        output=FILES.critic,
        metrics=train_log(FILES.critic),
    log:
        f"{LOGS}/{{experiment}}/{{method}}/critic.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/critic.tsv"
    wildcard_constraints:
        method=one_of(REJECTIONS),
    threads: cores_of("rl")
    params:
        **job(
            "critic",
            lambda w: CriticTraining.from_config(CONFIG, w.experiment, w.method),
        ),
        processes=processes("rl"),
    shell:
        TRAIN
        + " --vqvae {input.vqvae:q} --codes {input.codes:q} --prior {input.prior:q}"
        " --output {output.output:q} --metrics {output.metrics:q}"
