# The synthetic experiment: a prior takes the place of the data (paper's Table 4).


rule oracle:
    input:
        codes=lambda w: FILES.codes.format(
            experiment=CONFIG.experiments[w.experiment].oracle.of
        ),
    output:
        output=FILES.oracle,
        metrics=train_log(FILES.oracle),
    log:
        f"{LOGS}/{{experiment}}/oracle.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/oracle.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    priority: TRAIN_PRIORITY
    threads: cores_of("prior")
    params:
        **job("prior", lambda w: PriorSettings.of_oracle(CONFIG, w.experiment)),
        processes=processes("prior"),
    shell:
        stage("prior", "{params.processes}")
        + " --codes {input.codes:q} --output {output.output:q} --metrics {output.metrics:q}"


rule oracle_codes:
    input:
        oracle=FILES.oracle,
    output:
        output=FILES.oracle_codes,
    log:
        f"{LOGS}/{{experiment}}/oracle-codes.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/oracle-codes.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    params:
        **job(
            "oracle_codes",
            lambda w: OracleCodesSettings.from_config(CONFIG, w.experiment),
        ),
    shell:
        STAGE + " --oracle {input.oracle:q} --output {output.output:q}"


rule nll:
    input:
        oracle=FILES.oracle,
        codes=FILES.oracle_codes,
        prior=FILES.tuned,
        samples=shards(FILES.samples),
    output:
        output=FILES.nll,
    log:
        f"{LOGS}/{{experiment}}/{{method}}/nll.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/{{method}}/nll.tsv"
    wildcard_constraints:
        experiment=one_of(ORACLES),
    params:
        **job("nll", lambda w: NllSettings.from_config(CONFIG, w.experiment)),
    shell:
        STAGE
        + " --oracle {input.oracle:q} --codes {input.codes:q} --prior {input.prior:q}"
        " --samples {input.samples:q} --output {output.output:q}"
