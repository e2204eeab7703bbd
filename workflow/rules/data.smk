rule prepare:
    output:
        manifest=MANIFEST,
    log:
        f"{LOGS}/data/{{dataset}}-{{image_size}}.log",
    benchmark:
        f"{BENCHMARKS}/data/{{dataset}}-{{image_size}}.tsv"
    params:
        settings=lambda w: plan.to_json(
            plan.prepare(CONFIG, w.dataset, int(w.image_size))
        ),
        code=lambda w: code(
            "prepare", plan.prepare(CONFIG, w.dataset, int(w.image_size)).kinds
        ),
    shell:
        STAGE + " --manifest {output.manifest:q}"
