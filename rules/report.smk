# Requires: every receipt of the run, and its attempts. Gives: what the run cost, and the page with the results.


rule account:
    input:
        [receipt(stage) for stage in STAGES],
    output:
        RUN.folder / "report" / "account.json",
    log:
        logfile("account"),
    conda:
        ENVIRONMENT
    params:
        section=section("account"),
    shell:
        "hominis account --out {output} 2>&1 | tee {log}"


rule report:
    input:
        receipts=[receipt(stage) for stage in STAGES],
        account=rules.account.output,
    output:
        PAGE,
    log:
        logfile("report"),
    conda:
        ENVIRONMENT
    params:
        section=section("report"),
    shell:
        "hominis report 2>&1 | tee {log}"
