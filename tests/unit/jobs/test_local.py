"""What a dead job left running is ended, and nothing else."""

import os
import subprocess
import sys
import time

import psutil

from hominis.jobs.local import end_leftovers
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
