"""The driver in a job of its own: it ends before the run does, and the next one goes on."""

import subprocess

from tests.slurm.configuration import ACCOUNT
from tests.slurm.daemons import wait_for
from tests.workflow import tiny
from tests.workflow.conftest import corpora  # noqa: F401

SCRIPT = tiny.ROOT / "workflow" / "driver.sh"


def submit(cluster, run, *more):
    """Start the driver of a run as a job; returns the job's id."""
    options = run.command(*more)[3:]  # without `python -m snakemake`
    command = ["sbatch", "--parsable", f"--account={ACCOUNT}", "--mem=1000", str(SCRIPT), *options]
    done = subprocess.run(command, cwd=run.folder, capture_output=True, text=True, env=run.environment(), check=True)
    return done.stdout.strip()


def drivers(cluster):
    return {row["id"]: row for row in cluster.squeue("--name=driver", "-t", "PD,R,CG")}


def stages(cluster):
    names = [row["JobName"] for row in cluster.sacct("JobName,JobID")]
    return {name.split("-")[1] for name in names if name.startswith("hominis-")}


def test_the_next_job_goes_on_when_the_driver_s_ends(corpora, cluster, tmp_path):  # noqa: F811
    run = tiny.Run(tmp_path, tiny.settings(corpora), cluster.environment, profile="ci-slurm")
    first = submit(cluster, run, "--until", "deduplicate")
    wait_for((run.receipts / "fetch.json").exists, 120, "nothing is fetched")
    second = next(job for job in drivers(cluster) if job != first)
    assert drivers(cluster)[second]["reason"] == "Dependency"
    cluster.cancel(first)  # SIGTERM, then SIGKILL, to all of it, as at the wall time
    assert not (run.receipts / "deduplicate.json").exists(), "the driver was done before it was killed"
    cluster.wait_state(second, "COMPLETED", timeout_s=180)
    assert (run.receipts / "deduplicate.json").exists()
    wait_for(lambda: not drivers(cluster), 30, "a driver is left in the queue")
    # the accounting tells late of what has just ended
    wait_for(lambda: {"fetch", "annotate", "deduplicate"} <= stages(cluster), 30, "a stage didn't go through Slurm")
    assert len(run.ledger()) == 5, "a part was done twice"


def test_a_run_that_fails_leaves_no_driver_behind(corpora, cluster, tmp_path):  # noqa: F811
    run = tiny.Run(tmp_path, tiny.settings(corpora) | {"nonsense": 1}, cluster.environment, profile="ci-slurm")
    job = submit(cluster, run)
    cluster.wait_state(job, "FAILED", timeout_s=120)
    wait_for(lambda: not drivers(cluster), 30, "a driver is left in the queue")
    assert "nonsense: there is no such setting" in (run.folder / f"driver-{job}.log").read_text()
