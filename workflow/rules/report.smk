TABLE_FILES = (
    " --csv {output.csv:q} --long {output.long:q} --markdown {output.markdown:q}"
)


def cells(pattern):
    """A file of every cell of a table, row by row, as the stages expect them."""

    def of(wildcards):
        table = CONFIG.tables[wildcards.table]
        return [
            pattern.format(experiment=experiment, method=method, table=wildcards.table)
            for method in rarl.config.methods_of(table)
            for experiment in rarl.config.runs_of(CONFIG, table)
        ]

    return of


def finetunings_of_cells(wildcards):
    """The log of the fine-tuning behind every cell, in the order of `cells`."""
    table = CONFIG.tables[wildcards.table]
    runs = rarl.config.runs_of(CONFIG, table)
    return [
        path
        for method in rarl.config.methods_of(table)
        for experiment in runs
        for path in finetunings(experiment, [method])
    ]


def distances(wildcards):
    if CONFIG.tables[wildcards.table].kind == "reconstruction":
        columns = CONFIG.tables[wildcards.table].columns
        return expand(f"{RUN}/reconstruction.json", experiment=columns)
    return cells(f"{BRANCH}/distance.json")(wildcards)


def training_logs(experiment, methods):
    """The metrics of all training of an experiment that these methods rest on, its own first."""
    own = ["oracle"] if experiment in ORACLES else ["vqvae"]
    own += [f"prior-{grid}" for grid in CONFIG.experiments[experiment].grids]
    tuned = dict.fromkeys(map(CONFIG.prior_of, methods))
    return [
        *expand(f"{RUN}/{{name}}.jsonl", experiment=experiment, name=own),
        *expand(f"{BRANCH}/prior.jsonl", experiment=experiment, method=tuned),
        *expand(
            f"{BRANCH}/critic.jsonl",
            experiment=experiment,
            method=[m for m in methods if m in REJECTIONS],
        ),
    ]


def logs_behind(wildcards):
    """The metrics of all training behind a table."""
    table = CONFIG.tables[wildcards.table]
    methods = rarl.config.methods_of(table)
    found = []
    for experiment in rarl.config.runs_of(CONFIG, table):
        if methods:
            found += training_logs(experiment, methods)
        else:  # reconstructions
            found.append(f"{RUN}/vqvae.jsonl".format(experiment=experiment))
    return found


def figures_beside(wildcards):
    """Samples and curves of a table's experiments: built with it, read by nobody."""
    table = CONFIG.tables[wildcards.table]
    if not rarl.config.methods_of(table):
        return []
    return expand(
        f"{FIGURES}/{{kind}}-{{experiment}}.png",
        kind=["samples", "curves"],
        experiment=rarl.config.experiments_of(table),
    )


rule grid:
    input:
        vqvae=f"{RUN}/vqvae.safetensors",
        samples=lambda w: first_drawn(
            w.experiment, plan_report.methods(CONFIG, w.experiment)
        ),
        finetunings=lambda w: finetunings(
            w.experiment, plan_report.methods(CONFIG, w.experiment)
        ),
    output:
        output=report(
            f"{FIGURES}/samples-{{experiment}}.png",
            caption="../report/samples.rst",
            category="Samples",
            labels={"experiment": "{experiment}"},
        ),
    log:
        f"{LOGS}/{{experiment}}/grid.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/grid.tsv"
    params:
        settings=lambda w: plan.to_json(plan_report.grid(CONFIG, w.experiment)),
        code=code("grid"),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --finetunings {input.finetunings:q} --output {output.output:q}"


rule curves:
    input:
        metrics=lambda w: training_logs(
            w.experiment, plan_report.finetuned(CONFIG, w.experiment)
        ),
    output:
        output=report(
            f"{FIGURES}/curves-{{experiment}}.png",
            caption="../report/curves.rst",
            category="Training",
            labels={"experiment": "{experiment}"},
        ),
    log:
        f"{LOGS}/{{experiment}}/curves.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/curves.tsv"
    params:
        settings=lambda w: plan.to_json(plan_report.curves(CONFIG, w.experiment)),
        code=code("curves"),
    shell:
        STAGE + " --metrics {input.metrics:q} --output {output.output:q}"


rule samples_figure:
    input:
        vqvaes=lambda w: expand(
            f"{RUN}/vqvae.safetensors", experiment=CONFIG.figures[w.figure].columns
        ),
        samples=lambda w: [
            path
            for experiment in CONFIG.figures[w.figure].columns
            for path in first_drawn(experiment, CONFIG.figures[w.figure].rows)
        ],
        finetunings=lambda w: [
            path
            for experiment in CONFIG.figures[w.figure].columns
            for path in finetunings(experiment, CONFIG.figures[w.figure].rows)
        ],
    output:
        output=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/samples_figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("samples"),
    params:
        settings=lambda w: plan.to_json(plan_report.samples_figure(CONFIG, w.figure)),
        code=code("samples_figure"),
    shell:
        STAGE + " --vqvaes {input.vqvaes:q} --samples {input.samples:q}"
        " --finetunings {input.finetunings:q} --output {output.output:q}"


rule time_figure:
    input:
        metrics=lambda w: [
            f"{BRANCH}/prior.jsonl".format(
                experiment=CONFIG.figures[w.figure].experiment, method=method
            )
            for method in CONFIG.figures[w.figure].rows
        ],
    output:
        output=report(
            f"{FIGURES}/{{figure}}.png",
            caption="../report/time.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        csv=f"{FIGURES}/{{figure}}.csv",
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("time"),
    params:
        settings=lambda w: plan.to_json(plan_report.time_figure(CONFIG, w.figure)),
        code=code("time_figure"),
    shell:
        STAGE
        + " --metrics {input.metrics:q} --output {output.output:q} --csv {output.csv:q}"


rule distance_table:
    input:
        distances=distances,
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
        figures=figures_beside,
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("distance", "reconstruction"),
    params:
        settings=lambda w: plan.to_json(plan_report.table(CONFIG, w.table)),
        code=code("distance_table"),
    shell:
        STAGE + " --distances {input.distances:q} --finetunings {input.finetunings:q}"
        " --metrics {input.metrics:q}" + TABLE_FILES


rule seconds_table:
    input:
        seconds=cells(f"{RESULTS}/{{experiment}}/{{method}}/seconds-{{table}}.json"),
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("seconds"),
    params:
        settings=lambda w: plan.to_json(plan_report.table(CONFIG, w.table)),
        code=code("seconds_table"),
    shell:
        STAGE + " --seconds {input.seconds:q}" + TABLE_FILES


rule quality_table:
    input:
        distances=cells(f"{BRANCH}/distance.json"),
        qualities=cells(f"{BRANCH}/quality.json"),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
        figures=figures_beside,
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("quality"),
    params:
        settings=lambda w: plan.to_json(plan_report.table(CONFIG, w.table)),
        code=code("quality_table"),
    shell:
        STAGE + " --distances {input.distances:q} --qualities {input.qualities:q}"
        " --finetunings {input.finetunings:q} --metrics {input.metrics:q}"
        + TABLE_FILES


rule replicated_table:
    input:
        distances=cells(f"{BRANCH}/distance.json"),
        qualities=cells(f"{BRANCH}/quality.json"),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("replicated"),
    params:
        settings=lambda w: plan.to_json(plan_report.table(CONFIG, w.table)),
        code=code("replicated_table"),
    shell:
        STAGE + " --distances {input.distances:q} --qualities {input.qualities:q}"
        " --finetunings {input.finetunings:q} --metrics {input.metrics:q}"
        + TABLE_FILES


rule nll_table:
    input:
        nlls=cells(f"{BRANCH}/nll.json"),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("nll"),
    params:
        settings=lambda w: plan.to_json(plan_report.table(CONFIG, w.table)),
        code=code("nll_table"),
    shell:
        STAGE + " --nlls {input.nlls:q} --finetunings {input.finetunings:q}"
        " --metrics {input.metrics:q}" + TABLE_FILES


rule architecture_table:
    output:
        csv=TABLE,
        long=LONG_TABLE,
        markdown=MARKDOWN,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("architecture"),
    params:
        settings=lambda w: plan.to_json(plan_report.architecture(CONFIG, w.table)),
        code=code("architecture_table"),
    shell:
        STAGE + TABLE_FILES


rule table_page:
    input:
        markdown=MARKDOWN,
    output:
        output=report(
            PAGE,
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        f"{LOGS}/tables/{{table}}-page.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}-page.tsv"
    params:
        settings=plan.to_json(plan_report.page()),
        code=code("table_page"),
    shell:
        STAGE + " --markdown {input.markdown:q} --output {output.output:q}"
