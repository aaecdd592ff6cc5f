# Requires: sources of the run, and what evaluation will ask. Gives: the text that stays, its vocabulary, token shards.


rule fetch:
    output:
        receipt("fetch"),
    log:
        logfile("fetch"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=1,
        mem_mb=8000,
    params:
        section=section("fetch"),
        asked=asked,
    shell:
        "hominis fetch {params.asked} 2>&1 | tee {log}"


rule annotate:
    input:
        receipt("fetch"),
    output:
        receipt("annotate"),
    log:
        logfile("annotate"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=1,  # a core a file: two give one file 1.4 times the speed
        mem_mb=8000,
    params:
        section=section("annotate"),
        asked=asked,
    shell:
        "hominis annotate {params.asked} 2>&1 | tee {log}"


rule deduplicate:
    input:
        receipt("annotate"),
    output:
        receipt("deduplicate"),
    log:
        logfile("deduplicate"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("deduplicate"),
        asked=asked,
    shell:
        "hominis deduplicate {params.asked} 2>&1 | tee {log}"


rule questions:
    output:
        receipt("questions"),
    log:
        logfile("questions"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        cpus_per_task=1,
        mem_mb=4000,
    params:
        section=section("questions"),
        asked=asked,
    shell:
        "hominis questions {params.asked} 2>&1 | tee {log}"


rule select:
    input:
        receipt("fetch"),
        receipt("annotate"),
        receipt("deduplicate"),
        receipt("questions"),
    output:
        receipt("select"),
    log:
        logfile("select"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=1,  # a core a file: two give one file 1.4 times the speed
        mem_mb=8000,
    params:
        section=section("select"),
        asked=asked,
    shell:
        "hominis select {params.asked} 2>&1 | tee {log}"


rule vocabulary:
    input:
        receipt("select"),
    output:
        receipt("vocabulary"),
    log:
        logfile("vocabulary"),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        cpus_per_task=8,
        mem_mb=120000,
    params:
        section=section("vocabulary"),
        asked=asked,
    shell:
        "hominis vocabulary {params.asked} 2>&1 | tee {log}"


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
    threads: THREADS
    resources:
        cpus_per_task=8,
        mem_mb=64000,
    params:
        section=section("tokenise"),
        asked=asked,
    shell:
        "hominis tokenise {params.asked} 2>&1 | tee {log}"
