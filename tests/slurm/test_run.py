"""A whole run through Slurm, its training on two nodes: started, looked at, killed, cancelled, started again."""

import json
import time

import pytest

from tests.workflow import tiny
from tests.workflow.conftest import annotated, copy, corpora, tokenised  # noqa: F401

TEXT = ("fetch", "annotate", "deduplicate", "questions", "select", "vocabulary", "tokenise")


def settings(table):
    """Return the tiny run's configuration for the driver alone; through Snakemake the profile says the same."""
    slurm = {"tasks_per_node": 2, "poll_s": 0.5, "slowest_poll_s": 2, "grace_s": 10, "warn_s": 20}
    slurm["setup"] = ["export GLOO_SOCKET_IFNAME=lo"]
    made = tiny.settings(table) | {"backend": "slurm", "slurm": slurm}
    made["pretrain"]["layout"] = {"tp": 2, "pp": 2}
    return made


@pytest.fixture(scope="module")
def whole(corpora, cluster, tmp_path_factory):  # noqa: F811
    """A whole run through Snakemake and Slurm."""
    run = tiny.Run(tmp_path_factory.mktemp("slurm"), settings(corpora), cluster.environment, profile="ci-slurm")
    run.printed = run.finish()
    return run


@pytest.fixture
def training(tokenised, cluster, tmp_path):  # noqa: F811
    """A run whose pretraining has begun on Slurm, through Snakemake."""
    copy(tokenised, tmp_path)
    run = tiny.Run(tmp_path, settings(tokenised.settings["fetch"]["sources"]), cluster.environment, profile="ci-slurm")
    run.driver = run.start("--until", "pretrain")
    yield run
    run.hominis("cancel", "--grace", "5", check=False)
    for process in run.processes():
        process.kill()


def pretraining(run):
    stages = json.loads(run.hominis("status", "--json").stdout)["stages"]
    return next(stage for stage in stages if stage["stage"] == "pretrain")


def wait_for(run, what):
    """Wait until the status of the training satisfies ``what``, and return it."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if what(stage := pretraining(run)):
            return stage
        time.sleep(0.3)
    raise AssertionError(f"{stage}\n{(run.folder / 'snakemake.log').read_text()[-3000:]}")


def trains(stage):
    return stage["running"] and "steps" in stage["running"][0]["progress"]


def batches(run, stage):
    return list((run.folder / "site" / "jobs").glob(f"{stage}/*/batches/*.json"))


def attempts(run):
    return [row for row in run.ledger() if row["stage"] == "pretrain"]


def test_the_training_crosses_two_nodes(whole, cluster):
    made = [json.loads(path.read_text()) for path in whole.folder.glob("site/store/pretrain/*/*/receipt.json")]
    (layout,) = (receipt["summary"]["layout"] for receipt in made if receipt["part"])
    assert layout["tp"] == layout["pp"] == 2
    (batch,) = batches(whole, "pretrain")
    name = json.loads(batch.read_text())["name"]
    (row,) = cluster.sacct("NNodes,State,AllocTRES", "--name", name, "-S", "now-1hours")
    assert (row["NNodes"], row["State"]) == ("2", "COMPLETED")
    assert (whole.folder / "results/tiny/report/index.html").exists()


def test_every_stage_went_through_slurm(whole):
    assert all(row["owner"]["slurm"]["job"] for row in whole.ledger())
    assert {row["stage"] for row in whole.ledger()} == {path.stem for path in whole.receipts.glob("*.json")}


def test_text_is_the_same_here_and_there(whole, tokenised):  # noqa: F811
    there, here = whole.receipt_texts(), tokenised.receipt_texts()
    assert {stage: there[stage] for stage in TEXT} == {stage: here[stage] for stage in TEXT}


def test_a_second_start_submits_nothing(whole):
    before = len(batches(whole, "*"))
    assert before
    assert "Nothing to be done" in whole.finish()
    assert len(batches(whole, "*")) == before


def test_the_ledger_adds_up_to_the_accounting(whole, cluster):
    names = {json.loads(batch.read_text())["name"] for batch in batches(whole, "*")}
    rows = cluster.sacct("ElapsedRaw,NNodes,State", "-D", "--name", ",".join(names), "-S", "now-1hours")
    assert len(rows) >= len(names) >= len(whole.receipt_texts())
    total = json.loads(whole.hominis("ledger", "--json").stdout)["totals"]["all"]
    assert total["node_seconds"] == sum(int(row["ElapsedRaw"]) * int(row["NNodes"]) for row in rows) > 0


def test_a_job_outlives_everything_that_started_it(training, whole):
    stage = wait_for(training, trains)
    assert stage["jobs"][0]["state"] == "RUNNING" and stage["jobs"][0]["nodes"], "people see the job and its nodes"
    killed = [process for kind in ("snakemake", "driver") for process in training.processes(kind)]
    assert len(killed) >= 2
    for process in killed:
        process.kill()
    training.driver.wait(timeout=120)
    said = training.finish("--until", "pretrain")
    assert "attached to 1 running: all (job " in said
    assert len(batches(training, "pretrain")) == 1, "nothing was submitted again"
    assert [row["outcome"] for row in attempts(training)] == ["published"]
    assert training.receipt_texts()["pretrain"] == whole.receipt_texts()["pretrain"]


def test_cancelled_with_a_checkpoint_and_started_again(training, whole):
    wait_for(training, trains)
    training.hominis("cancel", "pretrain")
    assert training.driver.wait(timeout=240) != 0
    assert "cancelled at" in (training.folder / "snakemake.log").read_text()
    (stopped,) = attempts(training)
    assert stopped["outcome"] == "resume" and stopped["progress"]["kept"] > 0
    training.finish("--until", "pretrain")
    assert [row["outcome"] for row in attempts(training)] == ["resume", "published"]
    assert training.receipt_texts()["pretrain"] == whole.receipt_texts()["pretrain"]
