def distances(wildcards):
    """Row by row, as the stage expects them."""
    of = CONFIG.tables[wildcards.table]
    return [
        f"{RESULTS}/{experiment}/{method}/distance.json"
        for method in of.rows
        for experiment in of.columns
    ]


def figures(wildcards):
    return expand(
        f"{FIGURES}/{{kind}}-{{experiment}}.png",
        kind=["samples", "curves"],
        experiment=CONFIG.tables[wildcards.table].columns,
    )


rule grid:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        samples=branches(f"{BRANCH}/samples-{{seed}}.safetensors"),
    output:
        output=f"{FIGURES}/samples-{{experiment}}.png",
    log:
        f"{LOGS}/{{experiment}}/grid.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/grid.tsv"
    params:
        settings=lambda w: plan.to_json(plan.grid(CONFIG, w.experiment)),
        code=fingerprint.of("grid"),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --output {output.output:q}"


rule curves:
    input:
        metrics=lambda w: [
            f"{RUN}/vqvae.jsonl".format(**w),
            *grids(f"{RUN}/prior-{{grid}}.jsonl")(w),
            *branches(f"{BRANCH}/prior.jsonl")(w),
        ],
    output:
        output=f"{FIGURES}/curves-{{experiment}}.png",
    log:
        f"{LOGS}/{{experiment}}/curves.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/curves.tsv"
    params:
        settings=lambda w: plan.to_json(plan.curves(CONFIG, w.experiment)),
        code=fingerprint.of("curves"),
    shell:
        STAGE + " --metrics {input.metrics:q} --output {output.output:q}"


rule table:
    input:
        distances=distances,
        figures=figures,  # built with the table, read by nobody
    output:
        csv=TABLE,
        markdown=f"{RESULTS}/tables/{{table}}.md",
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    params:
        settings=lambda w: plan.to_json(plan.table(CONFIG, w.table)),
        code=fingerprint.of("table"),
    shell:
        STAGE + " --distances {input.distances:q} --csv {output.csv:q}"
        " --markdown {output.markdown:q}"
