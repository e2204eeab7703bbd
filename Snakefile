# Reinforced adversarial learning, from pictures to the paper's tables.
#
#   snakemake --cores 8 results/tables/table2.csv
#   snakemake --cores 8 --configfile config/paper.yaml

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

import rarl.config
from rarl import targets
from rarl.config.stages.data import (
    CodesSettings,
    OracleCodesSettings,
    PrepareSettings,
)
from rarl.config.stages.evaluate import (
    DistanceSettings,
    NllSettings,
    QualitySettings,
    RejectSettings,
    SampleSettings,
    SecondsSettings,
)
from rarl.config.stages.features import FeaturesSettings, RealFeaturesSettings
from rarl.config.stages.report import PageSettings, plot_names
from rarl.config.stages.train import (
    CriticTraining,
    FinetuneSettings,
    PriorSettings,
    VqvaeSettings,
    rewarded_by_distance,
    rewarded_for_images,
)
from rarl.layout import Layout, train_log
from rarl.report import plan
from rarl.runtime import cores, records

min_version("9.0")

if (
    "experiments" not in config
):  # --configfile replaces the default, which it must not merge into

    configfile: "config.yaml"


try:
    CONFIG = rarl.config.parse(config)
except rarl.config.ConfigError as error:
    raise WorkflowError(str(error)) from None

if note := cores.limit(workflow):
    logger.info(note)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/oracle.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        expand(FILES.table, table=CONFIG.tables),
        expand(FILES.page, table=CONFIG.tables),
        expand(FILES.plot, figure=CONFIG.figures),


# Matches only what holds no known name, and so no output of another rule.
rule misspelt:
    input:
        unknown_target,
    output:
        f"{FILES.results}/{{unknown}}",
    wildcard_constraints:
        unknown=targets.unknown(CONFIG),
