# Requires: token shards and their vocabulary. Gives: the trained model, its Hugging Face form, its scores. A run without
# a section `adopt` or `decay` has no such rule.


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


if RUN.adopt:

    rule adopt:
        input:
            upstream("adopt"),
            sorted(RUN.adopt.folder.glob("*.json")),
            sorted(RUN.adopt.folder.glob("*.safetensors")),
        output:
            receipt("adopt"),
        log:
            logfile("adopt"),
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            cpus_per_task=8,
            mem_mb=120000,
        params:
            section=section("adopt"),
            asked=asked,
        shell:
            "hominis adopt {params.asked} 2>&1 | tee {log}"


rule pretrain:
    input:
        upstream("pretrain"),
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


if RUN.decay:

    rule decay:
        input:
            upstream("decay"),
        output:
            receipt("decay"),
        log:
            logfile("decay"),
        conda:
            ENVIRONMENT
        threads: THREADS
        resources:
            tasks=RUN.decay.layout.world,
            nodes=RUN.nodes(RUN.decay.layout),
            cpus_per_task=8,
            mem_mb=120000,
        params:
            section=section("decay"),
            asked=asked,
        shell:
            "hominis decay {params.asked} 2>&1 | tee {log}"


rule export:
    input:
        upstream("export"),
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
