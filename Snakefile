# Reinforced adversarial learning, from pictures to the paper's tables.
#
#   snakemake --cores 8 results/tables/table2.csv
#   snakemake --cores 8 --configfile config/paper.yaml

import sys

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

import rarl.config
from rarl import targets
from rarl.config.stages import report as report_settings
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
from rarl.config.stages.train import (
    CriticTraining,
    FinetuneSettings,
    PriorSettings,
    VqvaeSettings,
    rewarded_by_distance,
    rewarded_for_images,
)
from rarl.layout import Layout, train_log
from rarl.runtime import cores, records

min_version("9.0")

if (
    "experiments" not in config
):  # --configfile replaces the default, which it must not merge into

    configfile: "config.yaml"


try:
    CONFIG = rarl.config.parse(config)
    for argument in sys.argv[1:]:  # Snakemake knows no targets yet
        targets.check(CONFIG, argument)
except rarl.config.ConfigError as error:
    raise WorkflowError(str(error)) from None

# Jobs of one machine never use more cores than it has, whatever --cores says.
if workflow.is_main_process and workflow.nodes is None and workflow._cores is not None:
    if workflow._cores > cores.available():
        logger.info(
            f"--cores {workflow._cores}: this machine has {cores.available()}, using these"
        )
        workflow.register_resource("_cores", cores.available())


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
        expand(f"{FILES.plots}/{{figure}}.png", figure=CONFIG.figures),
