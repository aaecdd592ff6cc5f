"""What a dead job left running is ended, and nothing else."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil

from hominis.jobs.local import Local, end_leftovers
from hominis.store.cores import cores, share
from hominis.store.owner import myself, started

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_children_of_a_dead_job_are_killed():
    job = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True, stdout=subprocess.PIPE, text=True)
    child = int(job.stdout.readline())
    owner = myself() | {"pid": job.pid, "start": started(job.pid)}
    end_leftovers(owner)
    assert started(child) is not None, "a living job's children are left alone"
    job.kill()
    job.wait()
    assert started(child) is not None, "the fault landed: the child outlived its parent"
    end_leftovers(owner)
    deadline = time.monotonic() + 5
    while started(child) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert started(child) is None
    assert psutil.pid_exists(os.getpid())


def test_a_job_of_another_boot_is_left_alone():
    end_leftovers(myself() | {"boot": "another", "pid": os.getsid(0)})
    assert psutil.pid_exists(os.getpid())


def test_parts_that_run_at_once_share_the_cores(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(TELL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HOMINIS_TELL", str(tmp_path))
    local = Local(tmp_path / "task.json", tmp_path / "logs", 4)
    assert local.submit(["a"], (), 0) == ["a"]
    assert local.submit(["b", "c", "d", "e"], (), 1) == ["b", "c", "d"]
    assert done(local, "abcd") == dict.fromkeys("abcd", "COMPLETED")
    told = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.part")}
    assert told == {"a": "4", "b": "1", "c": "1", "d": "1"}


def test_a_process_that_died_is_replaced_and_none_stays(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(TELL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HOMINIS_TELL", str(tmp_path))
    local = Local(tmp_path / "task.json", tmp_path / "logs", 1)
    for part in "ab":
        local.submit([part], (), 0)
        assert done(local, part) == {part: "COMPLETED"}
        os.kill(local._newest._process.pid, signal.SIGKILL)
        local._newest._process.wait()
    local.submit(["c"], (), 0)
    assert done(local, "c") == {"c": "COMPLETED"}
    last = local._newest._process.pid
    assert started(last) is not None
    local.settle()
    assert started(last) is None


def done(local, parts):
    """How parts ended, for which this waits."""
    deadline = time.monotonic() + 60
    while any(job.alive for job in local.look(list(parts)).values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return {part: job.state for part, job in local.look(list(parts)).items()}


TELL = """
import json, os, pathlib, sys
if sys.orig_argv[-4:-2] == ["hominis", "part"] and sys.orig_argv[-1] == "--forks":
    from hominis.jobs.forks import served
    if part := served(lambda: None):
        told = pathlib.Path(os.environ["HOMINIS_TELL"]) / f"{part}.part"
        told.write_text(json.dumps(os.environ["HOMINIS_CORES"]))
    os._exit(0)
"""


def test_no_part_takes_more_cores_than_its_job_has(monkeypatch):
    allowed = len(os.sched_getaffinity(0))
    assert cores() == allowed
    monkeypatch.setenv("HOMINIS_CORES", "1")
    assert cores() == 1
    monkeypatch.setenv("HOMINIS_CORES", str(allowed + 7))
    assert cores() == allowed


def test_every_part_has_a_core():
    assert share(2, 5)["HOMINIS_CORES"] == "1"
    assert share(7, 3)["HOMINIS_CORES"] == "2"
