# Raw text corpora to a results table: `snakemake --profile local`, or `--profile leonardo` on the login node.
# The graph is made of receipts; each rule calls one `hominis` verb, which looks in the store and does what is missing.
from snakemake.utils import min_version

min_version("9.9")

if "run" not in config:

    configfile: "workflow/config/quickstart.yaml"


include: "rules/common.smk"
include: "rules/corpus.smk"
include: "rules/model.smk"
include: "rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        PAGE,
