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
    params:
        section=section("ngram"),
    shell:
        "hominis ngram --jobs {threads} 2>&1 | tee {log}"


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
    threads: workflow.cores
    params:
        section=section("pretrain"),
    shell:
        "hominis pretrain --jobs {threads} 2>&1 | tee {log}"


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
    params:
        section=section("export"),
    shell:
        "hominis export --jobs {threads} 2>&1 | tee {log}"


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
    threads: workflow.cores
    params:
        section=section("generate"),
    shell:
        "hominis generate --jobs {threads} 2>&1 | tee {log}"


rule score:
    input:
        receipt("generate"),
    output:
        receipt("score"),
    log:
        logfile("score"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("score"),
    shell:
        "hominis score --jobs {threads} 2>&1 | tee {log}"
