# Requires: sources of the run. Gives: the text that stays, its vocabulary, token shards.


rule fetch:
    output:
        receipt("fetch"),
    log:
        logfile("fetch"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("fetch"),
    shell:
        "hominis fetch --jobs {threads} 2>&1 | tee {log}"


rule annotate:
    input:
        receipt("fetch"),
    output:
        receipt("annotate"),
    log:
        logfile("annotate"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("annotate"),
    shell:
        "hominis annotate --jobs {threads} 2>&1 | tee {log}"


rule deduplicate:
    input:
        receipt("annotate"),
    output:
        receipt("deduplicate"),
    log:
        logfile("deduplicate"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("deduplicate"),
    shell:
        "hominis deduplicate --jobs {threads} 2>&1 | tee {log}"


rule select:
    input:
        receipt("fetch"),
        receipt("annotate"),
        receipt("deduplicate"),
    output:
        receipt("select"),
    log:
        logfile("select"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("select"),
    shell:
        "hominis select --jobs {threads} 2>&1 | tee {log}"


rule vocabulary:
    input:
        receipt("select"),
    output:
        receipt("vocabulary"),
    log:
        logfile("vocabulary"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("vocabulary"),
    shell:
        "hominis vocabulary --jobs {threads} 2>&1 | tee {log}"


rule tokenise:
    input:
        receipt("select"),
        receipt("vocabulary"),
    output:
        receipt("tokenise"),
    log:
        logfile("tokenise"),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        section=section("tokenise"),
    shell:
        "hominis tokenise --jobs {threads} 2>&1 | tee {log}"
