"""Ranks as tasks of a Slurm step: the same training over two nodes, stopped, killed, failing, orphaned."""

import json
import shlex
import socket
import sys
from pathlib import Path

import psutil
import pytest

from hominis.train import checkpoints, guard
from tests.slurm.daemons import wait_for
from tests.unit.train import part
from tests.unit.train.conftest import Folder, contents, inputs, losses, section, train  # noqa: F401
from tests.unit.train.test_rollback import spoilt, spoilt_section  # noqa: F401

ROOT = Path(__file__).parents[2]
TWO_NODES = ["--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--gres=gpu:2"]
SETTINGS = section(steps=40, checkpoint_every=1000, layout={"tp": 2, "pp": 2, "sequence_parallel": True})

RANK = """
import os, signal, sys, time
from hominis.errors import InputError
from hominis.train.process import guarded
print("rank", os.environ["RANK"], "is", os.getpid(), "on", os.environ["SLURMD_NODENAME"], flush=True)
def fail():
    raise InputError("a bad token", where="a shard", remedy="another one")
if os.environ["RANK"] == "1":
    {end}
time.sleep(600)
"""

PART = """
import sys
from pathlib import Path
from hominis.errors import HominisError
from hominis.train import launch
ranks = launch.Launch("doomed", [], world=4, threads=1, folder=Path(sys.argv[1]))
try:
    launch.run(ranks, poll=lambda: None, stopping=lambda: False)
except HominisError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def nodes(cluster):
    """The cluster, if its nodes' names mean something: the ranks meet at one."""
    try:
        socket.gethostbyname(cluster.shape.booster[0])
    except OSError:
        pytest.skip("the nodes' names don't resolve: /etc/hosts can't be written")
    return cluster


def submit(cluster, folder: Path, *command: str, options: tuple[str, ...] = ()) -> int:
    """Run Python in a job of two nodes with two tasks each; its output goes to ``folder/job.out``."""
    lines = [
        f"export HOMINIS_LAUNCH=srun PYTHONPATH={ROOT}:{folder}",
        f"exec {shlex.join([sys.executable, *command])}",
    ]
    return cluster.sbatch("\n".join(lines), *TWO_NODES, *options, f"--output={folder}/job.out")


def doomed(cluster, folder: Path, end: str, *options: str) -> int:
    """Run four ranks, the second of which ends in this way."""
    (folder / "doomed.py").write_text(RANK.format(end=end))
    return submit(cluster, folder, "-c", PART, str(folder), options=options)


def output(cluster, folder: Path, job: int, state: str) -> str:
    assert cluster.wait_state(job, "COMPLETED", "FAILED", "CANCELLED", "NODE_FAIL") == state, printed(folder)
    return printed(folder)


def printed(folder: Path) -> str:
    return "\n".join(path.read_text() for path in [folder / "job.out", *folder.glob("**/logs/*.log")] if path.exists())


def test_a_run_over_two_nodes_stopped_and_resumed_gives_the_bytes_of_a_local_one(nodes, inputs, tmp_path):  # noqa: F811
    far, near = tmp_path / "far", Folder(tmp_path / "near")
    far.mkdir()
    command = ["-m", part.__name__, str(part.order(SETTINGS, inputs, far))]
    first = submit(nodes, far, *command)
    progress = far / "checkpoints/progress.jsonl"
    wait_for(lambda: progress.exists() and progress.stat().st_size > 0, 60, "no step was done")
    nodes.output("scancel", "--batch", "--signal=USR2", str(first))
    assert "was asked to stop" in output(nodes, far, first, "FAILED")
    last = json.loads((far / part.LATEST).read_text())
    assert nodes.job(first)["ExitCode"] == "75:0"
    (checkpoint,) = (far / "checkpoints").glob("step-*")
    assert 1 <= checkpoints.step_of(checkpoint) == last["kept"] == last["done"] < SETTINGS.steps

    second = submit(nodes, far, *command)
    train(SETTINGS, inputs, near)
    output(nodes, far, second, "COMPLETED")
    steps = [json.loads(line)["step"] for line in progress.read_text().splitlines()]
    assert steps[0] == last["kept"] + 1
    assert contents(far / "out") == contents(near.out)
    assert losses(near)[-1] < losses(near)[0]


def test_a_run_over_two_nodes_that_goes_back_gives_the_bytes_of_a_local_one(nodes, spoilt, tmp_path):  # noqa: F811
    far, near, settings = tmp_path / "far", Folder(tmp_path / "near"), spoilt_section(layout={"tp": 2, "pp": 2})
    far.mkdir()
    job = submit(nodes, far, "-m", part.__name__, str(part.order(settings, spoilt, far)))
    train(settings, spoilt, near)
    output(nodes, far, job, "COMPLETED")
    assert len(guard.read(far / "checkpoints")) == 1
    assert guard.read(far / "checkpoints") == guard.read(near.checkpoints)
    wait_for(lambda: {f"{job}.0", f"{job}.1"} <= steps_of(nodes, job), 60, "the ranks were not started again")
    assert contents(far / "out") == contents(near.out)


def steps_of(cluster, job: int) -> set[str]:
    return set(cluster.output("sacct", "--noheader", "--parsable2", "--format=JobID", f"--jobs={job}").split())


def test_a_killed_rank_is_an_interruption_to_resume_from(nodes, tmp_path):
    said = output(nodes, tmp_path, doomed(nodes, tmp_path, "os.kill(os.getpid(), 9)"), "COMPLETED")
    assert said.startswith(
        "Interrupted rank 1 of 4 was killed by signal 9 (Killed), most likely because memory ran out"
    )


def test_a_failing_rank_is_a_failure_in_its_own_words(nodes, tmp_path):
    said = output(nodes, tmp_path, doomed(nodes, tmp_path, "sys.exit(guarded(fail))"), "COMPLETED")
    assert said.startswith("StageFailed a bad token\n  where: a shard\n  remedy: another one")


def test_a_step_that_slurm_ends_is_an_interruption_in_srun_s_words(nodes, tmp_path):
    job = doomed(nodes, tmp_path, "pass")
    ranks(tmp_path)
    nodes.output("scancel", f"{job}.0")
    said = output(nodes, tmp_path, job, "COMPLETED")
    assert said.startswith("Interrupted")


def test_a_job_of_another_size_is_refused(nodes, tmp_path):
    job = doomed(nodes, tmp_path, "pass", "--ntasks-per-node=1")
    said = output(nodes, tmp_path, job, "COMPLETED")
    assert said.startswith("ConfigError 4 ranks are to run in a job of 2 tasks")


def test_no_rank_outlives_a_part_killed_with_9(nodes, tmp_path):
    job = doomed(nodes, tmp_path, "pass")
    started = ranks(tmp_path)
    (killed,) = [process for process in nodes.job_processes(job=job) if process.cmdline()[:2] == [sys.executable, "-c"]]
    killed.kill()
    assert nodes.wait_state(job, "FAILED") == "FAILED"
    _, alive = psutil.wait_procs(started, timeout=80)
    assert not alive
    assert not nodes.job_processes(job=job)


def ranks(folder: Path) -> list[psutil.Process]:
    """Return the four ranks of a doomed run, once they run, two on each of two nodes."""
    logs = folder / "logs"
    wait_for(lambda: len(words := words_of(logs)) == 4 and all(words), 30, f"no four ranks: {printed(folder)}")
    said = words_of(logs)
    assert sorted(words[5] for words in said) == sorted([said[0][5]] * 2 + [said[-1][5]] * 2)
    return [psutil.Process(int(words[3])) for words in said]


def words_of(logs: Path) -> list[list[str]]:
    return [path.read_text().split() for path in sorted(logs.glob("rank-[0-9].log"))]
