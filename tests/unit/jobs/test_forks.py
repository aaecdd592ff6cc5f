"""Parts as forks of one process: sessions, output, how they end, and who dies with whom."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hominis.jobs.forks import NAME, Forks
from hominis.stages import STAGES
from hominis.store.owner import started

PROGRAM = """
import os, sys, time
from hominis.jobs.forks import served
part = served(lambda: print("loaded") or LOADED)
if part is None:
    sys.exit(0)
print("I am", part, os.getpid(), os.getsid(0), os.getppid(), os.environ["WHO"], sys.stdin.read() == "")
sys.stdout.flush()
if part == "waits":
    time.sleep(600)
if part == "killed":
    os.kill(os.getpid(), 9)
sys.exit(int(part == "fails") * 3)
"""


@pytest.fixture
def forks(tmp_path):
    made = []

    def start(loaded="None"):
        command = [sys.executable, "-c", PROGRAM.replace("LOADED", loaded)]
        made.append(Forks(command, tmp_path / "log", os.environ))
        return made[-1]

    yield start
    for one in made:
        one.end()


def wait(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def said(log):
    """What a part said of itself: pid, session, parent, its variable, and that it had nothing to read."""
    assert wait(lambda: log.exists() and "I am" in log.read_text())
    line = next(line for line in log.read_text().splitlines() if "I am" in line)
    _, _, part, pid, session, parent, who, silent = line.split()
    return part, int(pid), int(session), int(parent), who, silent


def test_every_part_is_a_session_of_its_own_with_its_own_log_and_variables(forks, tmp_path):
    made = forks()
    for part in ("one", "two"):
        made.start(part, tmp_path / part, {"WHO": part.upper()})
    assert wait(lambda: (made.code("one"), made.code("two")) == (0, 0))
    found = [said(tmp_path / part) for part in ("one", "two")]
    assert [(part, who, silent) for part, *_, who, silent in found] == [("one", "ONE", "True"), ("two", "TWO", "True")]
    assert all(pid == session for _, pid, session, *_ in found) and found[0][1] != found[1][1]
    assert found[0][3] == found[1][3], "forks of one process"
    assert (tmp_path / "log").read_text() == "loaded\n", "what it says itself is no answer, and said once"


@pytest.mark.parametrize(("part", "code"), [("ends", 0), ("fails", 3), ("killed", -signal.SIGKILL)])
def test_the_exit_code_of_a_part_is_known(forks, tmp_path, part, code):
    made = forks()
    made.start(part, tmp_path / part, {"WHO": "x"})
    assert wait(lambda: made.code(part) is not None) and made.code(part) == code
    assert made.alive


def test_a_part_started_again_runs_again(forks, tmp_path):
    made = forks()
    for _ in range(2):
        made.start("fails", tmp_path / "log of it", {"WHO": "x"})
        assert made.code("fails") is None or made.code("fails") == 3
        assert wait(lambda: made.code("fails") == 3)
    assert (tmp_path / "log of it").read_text().count("I am") == 2


def test_a_part_outlives_the_process_that_forked_it_and_counts_as_killed(forks, tmp_path):
    made = forks()
    made.start("waits", tmp_path / "waits", {"WHO": "x"})
    _, pid, _, parent, *_ = said(tmp_path / "waits")
    assert psutil.Process(pid).name() == NAME + "waits"
    os.kill(parent, signal.SIGKILL)
    assert wait(lambda: not made.alive) and made.code("waits") == -signal.SIGKILL
    assert started(pid) is not None, "it goes on"
    made.start("late", tmp_path / "late", {"WHO": "x"})
    assert made.code("late") == -signal.SIGKILL and not (tmp_path / "late").exists()
    os.kill(pid, signal.SIGKILL)


def test_the_process_ends_with_its_driver_and_its_parts_do_not(tmp_path):
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, PROGRAM.replace("LOADED", "None"), str(tmp_path)], stdout=subprocess.PIPE
    )
    _, pid, _, parent, *_ = said(tmp_path / "waits")
    driver.kill()
    driver.wait()
    assert wait(lambda: started(parent) is None)
    assert started(pid) is not None
    os.kill(pid, signal.SIGKILL)


DRIVER = """
import os, pathlib, sys, time
from hominis.jobs.forks import Forks
folder = pathlib.Path(sys.argv[2])
made = Forks([sys.executable, "-c", sys.argv[1]], folder / "log", os.environ)
made.start("waits", folder / "waits", {"WHO": "x"})
time.sleep(600)
"""


def test_what_cannot_be_loaded_is_left_to_the_parts(forks, tmp_path):
    made = forks("1 / 0")
    made.start("one", tmp_path / "one", {"WHO": "x"})
    assert wait(lambda: made.code("one") == 0)


@pytest.mark.parametrize("stage", STAGES)
def test_preloading_starts_no_thread_that_a_fork_would_miss(stage):
    """Of Polars' pool a fork would have the queue and not the threads: it would wait for ever."""
    done = subprocess.run([sys.executable, "-c", THREADS, stage], capture_output=True, text=True, check=True)
    loaded, used = map(set, json.loads(done.stdout))
    harmless = {"jemalloc_bg_thd", "polars-ooc-clea"}
    assert loaded <= harmless
    assert used - harmless, "threads of the pool are told by their names"


THREADS = """
import json, pathlib, sys, threading
from hominis.stages import STAGES
def names():
    told = {(path / "comm").read_text().strip() for path in pathlib.Path("/proc/self/task").iterdir()}
    return sorted(told - {pathlib.Path("/proc/self/comm").read_text().strip()})  # the interpreter's, and OpenBLAS's
STAGES[sys.argv[1]].preload()
assert threading.active_count() == 1
loaded = names()
import polars
polars.DataFrame({"a": [1]}).lazy().with_columns(b=polars.col("a") + 1).collect()
print(json.dumps([loaded, names()]))
"""
