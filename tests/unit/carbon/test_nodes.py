import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from hominis.carbon import meter
from hominis.carbon.node import Steps
from hominis.carbon.nodes import Nodes

JOB = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1", "SLURM_STEP_ID": "0", "SLURM_NODEID": "0"}
METER = [sys.executable, "-m", "hominis.carbon.node"]
SPIN = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
PART = f"""
import json, os, time
from hominis.carbon.meter import local
from hominis.carbon.nodes import Nodes
made = Nodes(local(), {METER!r}, 1, dict(os.environ))
while "1 of 1" not in made.read()["method"]:
    time.sleep(0.05)
print(made._srun.pid, flush=True)
time.sleep(60)
"""


class Nothing:
    """The reading of a part that did nothing, so that what the nodes add is seen alone."""

    def read(self) -> dict[str, float | str]:
        return {**dict.fromkeys(("energy_kwh", "cpu_kwh", "ram_kwh", "gpu_kwh"), 0.0), "method": "cpu none"}


def until(true: Callable[[], object], within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, **JOB, **changes}


@contextmanager
def spinning(variables: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", SPIN], env=variables) as child:
        try:
            until(lambda: sum(psutil.Process(child.pid).cpu_times()[:2]) > 0.45)
            yield
        finally:
            child.kill()


@contextmanager
def metered(*commands: list[str], **changes: str) -> Iterator[Nodes]:
    made = Nodes(Nothing(), *(commands or (METER,)), 1, environment(**changes))
    yield made
    if made._srun and made._srun.stdin:
        made._srun.stdin.close()
        made._srun.wait(20)


def answering(made: Nodes) -> bool:
    return "1 of 1 nodes answer" in str(made.read()["method"])


def test_what_srun_started_on_this_node_is_added_to_the_parts_own():
    with metered() as made:
        until(lambda: answering(made))
        before = float(made.read()["cpu_kwh"])
        time.sleep(0.5)
        idle = float(made.read()["cpu_kwh"]) - before
        with spinning(environment()):
            busy = float(made.read()["cpu_kwh"]) - before - idle
    assert busy > 3 * idle


@pytest.mark.parametrize(
    "changes", [{"SLURM_JOB_ID": "8"}, {"SLURMD_NODENAME": "n2"}, {"SLURM_STEP_ID": ""}], ids=["job", "node", "step"]
)
def test_other_jobs_other_nodes_and_what_srun_did_not_start_are_not_metered(
    changes: dict[str, str],
):
    other = {name: value for name, value in environment(**changes).items() if value}
    steps = Steps(JOB)
    with spinning(other):
        assert steps.look().cpu_seconds == 0
    with spinning(environment()):
        assert steps.look().cpu_seconds >= 0.35


def test_the_time_of_who_ended_is_kept():
    steps = Steps(JOB)
    with spinning(environment()):
        used = steps.look().cpu_seconds
    ended = steps.look()
    assert (ended.cpu_seconds, ended.pids) == (used, frozenset())


def test_the_gpus_of_the_first_node_are_left_to_the_part():
    for node, metered_here in (("0", False), ("1", True)):
        done = subprocess.run(
            METER, env=environment(SLURM_NODEID=node), stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        reading = json.loads(done.stdout.splitlines()[0])
        assert ("gpu" in reading["method"], "gpu_kwh" in reading) == (metered_here, metered_here)


def test_a_meter_goes_on_when_the_steps_of_its_job_are_asked_to_stop():
    with metered() as made:
        until(lambda: answering(made))
        assert made._srun
        for number in (signal.SIGUSR2, signal.SIGTERM):
            made._srun.send_signal(number)
        time.sleep(0.2)
        assert made._srun.poll() is None
        assert answering(made)


def test_a_killed_part_leaves_no_meter():
    with subprocess.Popen(
        [sys.executable, "-c", PART], env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as part:
        assert part.stdout
        node = psutil.Process(int(part.stdout.readline()))
        assert node.is_running()
        part.kill()
        node.wait(20)


def test_a_meter_that_died_is_named_and_its_reading_kept():
    with metered() as made:
        until(lambda: answering(made))
        assert made._srun
        made._srun.kill()
        until(lambda: not answering(made))
        reading = made.read()
    assert "0 of 1 nodes answer" in str(reading["method"])
    assert float(reading["ram_kwh"]) > 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-srun"], "No such file"),
        (["sh", "-c", "echo srun: error: no such step >&2; exit 1"], "srun: error: no such step"),
    ],
)
def test_a_step_that_fails_is_named_and_the_own_reading_stands(command: list[str], words: str):
    made = Nodes(meter.local(), command, 2, environment())
    until(lambda: words in str(made.read()["method"]))
    reading = made.read()
    assert "0 of 2 nodes answer" in str(reading["method"])
    assert "cpu " in str(reading["method"])
    assert float(reading["energy_kwh"]) > 0


@pytest.mark.parametrize(("launch", "job"), [("", "7"), ("srun", "")])
def test_without_srun_or_without_a_job_the_meter_is_that_of_the_process_tree(
    launch: str, job: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOMINIS_LAUNCH", launch)
    monkeypatch.setenv("SLURM_JOB_ID", job) if job else monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert isinstance(meter.start(), meter.Meter)


def test_a_missing_srun_does_not_fail_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in {"HOMINIS_LAUNCH": "srun", "SLURM_JOB_ID": "7", "PATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert "0 of 1 nodes answer ([Errno 2]" in str(meter.start().read()["method"])
