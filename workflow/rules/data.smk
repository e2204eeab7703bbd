rule prepare:
    output:
        manifest=FILES.manifest,
    log:
        f"{LOGS}/data/{{dataset}}-{{image_size}}.log",
    benchmark:
        f"{BENCHMARKS}/data/{{dataset}}-{{image_size}}.tsv"
    params:
        **job(
            "prepare",
            lambda w: PrepareSettings.from_config(
                CONFIG, w.dataset, int(w.image_size)
            ),
        ),
    shell:
        STAGE + " --manifest {output.manifest:q}"
