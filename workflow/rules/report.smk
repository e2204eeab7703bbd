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
        return expand(FILES.reconstruction, experiment=columns)
    return cells(FILES.distance)(wildcards)


def training_logs(experiment, methods):
    """The metrics of all training of an experiment that these methods rest on, its own first."""
    own = ["oracle"] if experiment in ORACLES else ["vqvae"]
    own += [f"prior-{grid}" for grid in CONFIG.experiments[experiment].grids]
    tuned = dict.fromkeys(map(CONFIG.prior_of, methods))
    return [
        *expand(
            f"{FILES.results}/{{experiment}}/{{name}}.jsonl",
            experiment=experiment,
            name=own,
        ),
        *expand(train_log(FILES.tuned), experiment=experiment, method=tuned),
        *expand(
            train_log(FILES.critic),
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
            found.append(train_log(FILES.vqvae).format(experiment=experiment))
    return found


def figures_beside(wildcards):
    """Samples and curves of a table's experiments: built with it, read by nobody."""
    table = CONFIG.tables[wildcards.table]
    if not rarl.config.methods_of(table):
        return []
    return expand(
        f"{FILES.plots}/{{kind}}-{{experiment}}.png",
        kind=["samples", "curves"],
        experiment=rarl.config.experiments_of(table),
    )


rule image_grid:
    input:
        vqvae=FILES.vqvae,
        samples=lambda w: first_samples(
            w.experiment, report_settings.methods(CONFIG, w.experiment)
        ),
        finetunings=lambda w: finetunings(
            w.experiment, report_settings.methods(CONFIG, w.experiment)
        ),
    output:
        output=report(
            f"{FILES.plots}/samples-{{experiment}}.png",
            caption="../report/samples.rst",
            category="Samples",
            labels={"experiment": "{experiment}"},
        ),
    log:
        f"{LOGS}/{{experiment}}/image-grid.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/image-grid.tsv"
    params:
        **job("image_grid", lambda w: report_settings.grid(CONFIG, w.experiment)),
    shell:
        STAGE + " --vqvae {input.vqvae:q} --samples {input.samples:q}"
        " --finetunings {input.finetunings:q} --output {output.output:q}"


rule curves:
    input:
        metrics=lambda w: training_logs(
            w.experiment, report_settings.finetuned(CONFIG, w.experiment)
        ),
    output:
        output=report(
            f"{FILES.plots}/curves-{{experiment}}.png",
            caption="../report/curves.rst",
            category="Training",
            labels={"experiment": "{experiment}"},
        ),
    log:
        f"{LOGS}/{{experiment}}/curves.log",
    benchmark:
        f"{BENCHMARKS}/{{experiment}}/curves.tsv"
    params:
        **job("curves", lambda w: report_settings.curves(CONFIG, w.experiment)),
    shell:
        STAGE + " --metrics {input.metrics:q} --output {output.output:q}"


rule samples_figure:
    input:
        vqvaes=lambda w: expand(
            FILES.vqvae, experiment=CONFIG.figures[w.figure].columns
        ),
        samples=lambda w: [
            path
            for experiment in CONFIG.figures[w.figure].columns
            for path in first_samples(experiment, CONFIG.figures[w.figure].rows)
        ],
        finetunings=lambda w: [
            path
            for experiment in CONFIG.figures[w.figure].columns
            for path in finetunings(experiment, CONFIG.figures[w.figure].rows)
        ],
    output:
        output=report(
            f"{FILES.plots}/{{figure}}.png",
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
        **job(
            "samples_figure",
            lambda w: report_settings.samples_figure(CONFIG, w.figure),
        ),
    shell:
        STAGE + " --vqvaes {input.vqvaes:q} --samples {input.samples:q}"
        " --finetunings {input.finetunings:q} --output {output.output:q}"


rule time_figure:
    input:
        metrics=lambda w: [
            train_log(FILES.tuned).format(
                experiment=CONFIG.figures[w.figure].experiment, method=method
            )
            for method in CONFIG.figures[w.figure].rows
        ],
    output:
        output=report(
            f"{FILES.plots}/{{figure}}.png",
            caption="../report/time.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        csv=f"{FILES.plots}/{{figure}}.csv",
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_of("time"),
    params:
        **job("time_figure", lambda w: report_settings.time_figure(CONFIG, w.figure)),
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
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("distance", "reconstruction"),
    params:
        **job("distance_table", lambda w: report_settings.table(CONFIG, w.table)),
    shell:
        STAGE + " --distances {input.distances:q} --finetunings {input.finetunings:q}"
        " --metrics {input.metrics:q}" + TABLE_FILES


rule seconds_table:
    input:
        seconds=cells(FILES.seconds),
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("seconds"),
    params:
        **job("seconds_table", lambda w: report_settings.table(CONFIG, w.table)),
    shell:
        STAGE + " --seconds {input.seconds:q}" + TABLE_FILES


rule quality_table:
    input:
        distances=cells(FILES.distance),
        qualities=cells(FILES.quality),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
        figures=figures_beside,
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("quality"),
    params:
        **job("quality_table", lambda w: report_settings.table(CONFIG, w.table)),
    shell:
        STAGE + " --distances {input.distances:q} --qualities {input.qualities:q}"
        " --finetunings {input.finetunings:q} --metrics {input.metrics:q}"
        + TABLE_FILES


rule replicated_table:
    input:
        distances=cells(FILES.distance),
        qualities=cells(FILES.quality),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("replicated"),
    params:
        **job("replicated_table", lambda w: report_settings.table(CONFIG, w.table)),
    shell:
        STAGE + " --distances {input.distances:q} --qualities {input.qualities:q}"
        " --finetunings {input.finetunings:q} --metrics {input.metrics:q}"
        + TABLE_FILES


rule nll_table:
    input:
        nlls=cells(FILES.nll),
        finetunings=finetunings_of_cells,
        metrics=logs_behind,
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("nll"),
    params:
        **job("nll_table", lambda w: report_settings.table(CONFIG, w.table)),
    shell:
        STAGE + " --nlls {input.nlls:q} --finetunings {input.finetunings:q}"
        " --metrics {input.metrics:q}" + TABLE_FILES


rule architecture_table:
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    wildcard_constraints:
        table=tables_of("architecture"),
    params:
        **job(
            "architecture_table",
            lambda w: report_settings.architecture(CONFIG, w.table),
        ),
    shell:
        STAGE + TABLE_FILES


rule table_page:
    input:
        markdown=FILES.markdown,
    output:
        output=report(
            FILES.page,
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        f"{LOGS}/tables/{{table}}-page.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}-page.tsv"
    params:
        **job("table_page", lambda w: report_settings.page()),
    shell:
        STAGE + " --markdown {input.markdown:q} --output {output.output:q}"
