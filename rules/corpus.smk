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
        run=CONFIG,
    shell:
        "hominis fetch --config {params.run} --jobs {threads} 2>&1 | tee {log}"


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
        run=CONFIG,
    shell:
        "hominis annotate --config {params.run} --jobs {threads} 2>&1 | tee {log}"


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
        run=CONFIG,
    shell:
        "hominis deduplicate --config {params.run} --jobs {threads} 2>&1 | tee {log}"


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
        run=CONFIG,
    shell:
        "hominis select --config {params.run} --jobs {threads} 2>&1 | tee {log}"


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
        run=CONFIG,
    shell:
        "hominis vocabulary --config {params.run} --jobs {threads} 2>&1 | tee {log}"


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
        run=CONFIG,
    shell:
        "hominis tokenise --config {params.run} --jobs {threads} 2>&1 | tee {log}"
