"""A driver is killed, stopped, or started anew while its parts work on."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.conftest import copy


@pytest.fixture
def training(tokenised, tmp_path):
    """A run whose pretraining has begun, its driver, and the status that shows it."""
    run = copy(tokenised, tmp_path)
    driver = start(run)
    yield run, driver, wait_for_steps(run, driver)
    driver.kill()
    driver.wait()
    for process in run.processes():
        process.kill()


def start(run):
    command = [sys.executable, "-m", "hominis", "pretrain", "--config", str(run.config)]
    with (run.folder / "said").open("w") as said:
        return subprocess.Popen(command, cwd=run.folder, stderr=said, env=run.environment())


def end(run, driver):
    """Wait for a driver's end, and return what it said."""
    driver.wait(timeout=120)
    return (run.folder / "said").read_text()


def pretraining(run):
    status = json.loads(run.hominis("status", "--json").stdout)
    return next(stage for stage in status["stages"] if stage["stage"] == "pretrain")


def wait_for_steps(run, driver):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert driver.poll() is None, (run.folder / "said").read_text()
        stage = pretraining(run)
        if stage["running"] and "steps" in stage["running"][0]["progress"]:
            return stage
    raise AssertionError("no step within two minutes")


def outcomes(run):
    return [a["outcome"] for a in run.ledger() if a["stage"] == "pretrain"]


def receipt(run):
    return run.receipt_texts()["pretrain"]


def test_status_says_what_runs_where_since_when_and_how_far(training):
    run, _, stage = training
    (running,) = stage["running"]
    assert stage["state"] == "running"
    assert running["where"].startswith("process ")
    assert running["since"].startswith("for ")
    assert running["remains"].endswith(" left")
    text = run.hominis("status").stdout
    assert "pretrain    running" in text and "steps" in text


def test_a_killed_driver_s_part_goes_on_and_the_next_driver_attaches(training, undisturbed):
    run, driver, _ = training
    driver.kill()
    end(run, driver)
    assert run.processes("part") and run.processes("rank"), "the fault landed: the driver is gone, its part lives"
    again = run.hominis("pretrain")
    assert "attached to 1 running: all (process " in again.stderr
    assert outcomes(run) == ["published"]
    assert receipt(run) == receipt(undisturbed)


def test_a_killed_part_is_taken_over_from_its_checkpoint(training, undisturbed):
    run, driver, _ = training
    (part,) = run.processes("part")
    part.kill()
    said = end(run, driver)
    assert "attempt 1 is lost (process gone), taking over" in said
    assert outcomes(run) == ["lost", "published"]
    assert receipt(run) == receipt(undisturbed)
    assert run.processes() == []


def test_a_part_that_is_asked_to_stop_is_resumed(training, undisturbed):
    run, driver, _ = training
    (part,) = run.processes("part")
    part.send_signal(signal.SIGTERM)
    end(run, driver)
    assert outcomes(run) == ["resume", "published"]
    assert receipt(run) == receipt(undisturbed)


def test_the_keyboard_stops_the_driver_and_not_the_part(training):
    run, driver, _ = training
    driver.send_signal(signal.SIGINT)
    said = end(run, driver)
    assert driver.returncode == 130
    assert "go on by themselves" in said and "Traceback" not in said
    assert run.processes("part")


def test_the_ledger_speaks_to_people(undisturbed):
    text = undisturbed.hominis("ledger").stdout
    assert "pretrain/all" in text and "published" in text and " Wh" in text
    assert text.splitlines()[-1].startswith("all ")
    assert "12 of 12 stages done" in undisturbed.hominis("status").stdout
