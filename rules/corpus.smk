# Requires: sources of the run. Gives: the text that stays, its vocabulary, token shards.


rule fetch:
    output:
        receipt("fetch"),
    log:
        logfile("fetch"),
    params:
        section=section("fetch"),
        run=CONFIG,
    threads: workflow.cores
    shell:
        "hominis fetch --config {params.run} --jobs {threads} 2>&1 | tee {log}"


rule annotate:
    input:
        receipt("fetch"),
    output:
        receipt("annotate"),
    log:
        logfile("annotate"),
    params:
        section=section("annotate"),
        run=CONFIG,
    threads: workflow.cores
    shell:
        "hominis annotate --config {params.run} --jobs {threads} 2>&1 | tee {log}"


rule deduplicate:
    input:
        receipt("annotate"),
    output:
        receipt("deduplicate"),
    log:
        logfile("deduplicate"),
    params:
        section=section("deduplicate"),
        run=CONFIG,
    threads: workflow.cores
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
    params:
        section=section("select"),
        run=CONFIG,
    threads: workflow.cores
    shell:
        "hominis select --config {params.run} --jobs {threads} 2>&1 | tee {log}"


rule vocabulary:
    input:
        receipt("select"),
    output:
        receipt("vocabulary"),
    log:
        logfile("vocabulary"),
    params:
        section=section("vocabulary"),
        run=CONFIG,
    threads: workflow.cores
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
    params:
        section=section("tokenise"),
        run=CONFIG,
    threads: workflow.cores
    shell:
        "hominis tokenise --config {params.run} --jobs {threads} 2>&1 | tee {log}"
