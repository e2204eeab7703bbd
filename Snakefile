# The workflow, for `snakemake` in this folder; workflow/Snakefile is where catalogues look for it.


include: "workflow/Snakefile"


# Of a file that is included, Snakemake takes no default target.
rule default:
    default_target: True
    input:
        rules.all.input,
