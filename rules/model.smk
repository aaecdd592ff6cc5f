# Requires: token shards and their vocabulary. Gives: the trained model, its Hugging Face form, its scores.


rule ngram:
    input:
        receipt("select"),
        receipt("tokenise"),
    output:
        receipt("ngram"),
    log:
        logfile("ngram"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("ngram"),
        asked=asked,
    shell:
        "hominis ngram {params.asked} 2>&1 | tee {log}"


rule pretrain:
    input:
        receipt("tokenise"),
        receipt("vocabulary"),
    output:
        receipt("pretrain"),
    log:
        logfile("pretrain"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        tasks=RUN.pretrain.layout.world,
        nodes=RUN.training_nodes,
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("pretrain"),
        asked=asked,
    shell:
        "hominis pretrain {params.asked} 2>&1 | tee {log}"


rule export:
    input:
        receipt("pretrain"),
        receipt("vocabulary"),
    output:
        receipt("export"),
    log:
        logfile("export"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("export"),
        asked=asked,
    shell:
        "hominis export {params.asked} 2>&1 | tee {log}"


rule generate:
    input:
        receipt("export"),
        receipt("tokenise"),
    output:
        receipt("generate"),
    log:
        logfile("generate"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("generate"),
        asked=asked,
    shell:
        "hominis generate {params.asked} 2>&1 | tee {log}"


rule score:
    input:
        receipt("generate"),
    output:
        receipt("score"),
    log:
        logfile("score"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=4,
        mem_mb=16000,
    params:
        section=section("score"),
        asked=asked,
    shell:
        "hominis score {params.asked} 2>&1 | tee {log}"
