@functools.cache
def table_plan(name):
    return plan.plan_table(CONFIG, FILES, name)


@functools.cache
def plot_plan(name):
    return plan.plan_plot(CONFIG, FILES, name)


rule table:
    input:
        files=lambda w: table_plan(w.table).inputs,
        beside=lambda w: table_plan(w.table).beside,
    output:
        csv=FILES.table,
        long=FILES.long_table,
        markdown=FILES.markdown,
    log:
        f"{LOGS}/tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/tables/{{table}}.tsv"
    params:
        **job("table", lambda w: table_plan(w.table).settings),
    shell:
        STAGE + " --inputs {input.files:q} --csv {output.csv:q} --long {output.long:q}"
        " --markdown {output.markdown:q}"


rule plot:
    input:
        files=lambda w: plot_plan(w.figure).inputs,
    output:
        output=report(
            FILES.plot,
            caption="../report/plot.rst",
            category="Plots",
            labels={"plot": "{figure}"},
        ),
        csv=FILES.plotted,
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    params:
        **job("plot", lambda w: plot_plan(w.figure).settings),
    shell:
        STAGE
        + " --inputs {input.files:q} --output {output.output:q} --csv {output.csv:q}"


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
        **job("table_page", lambda w: PageSettings()),
    shell:
        STAGE + " --markdown {input.markdown:q} --output {output.output:q}"
