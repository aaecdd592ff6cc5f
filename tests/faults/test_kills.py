"""kill -9 of anything, at any instant: the next start completes, with the receipts of an undisturbed run."""

import os
import random
import signal
import time

import psutil
import pytest

from tests.faults.figures import FULL, note
from tests.workflow import tiny
from tests.workflow.conftest import corpora, secrets, undisturbed  # noqa: F401

KILLS, MOST = (60, 180) if FULL else (6, 60)
TARGETS = ["snakemake", "driver", "forks", "part", "rank"]


class Killer:
    """Starts a run again and again, and kills something of it each time."""

    def __init__(self, seed):
        self.random, self.landed = random.Random(seed), []

    def done(self):
        """Whether enough kills landed, some on every kind of process (ranks live for a short while only)."""
        return len(self.landed) >= KILLS and (set(self.landed) == set(TARGETS) or len(self.landed) >= MOST)

    def strike(self, run):
        """Start the run, kill one kind of process after a random while; returns whether the run ended first."""
        driver, until = run.start(), time.monotonic() + self.random.uniform(1.0, 9.0)
        while time.monotonic() < until:
            if driver.poll() is not None:
                assert driver.returncode == 0, (run.folder / "snakemake.log").read_text()[-3000:]
                return True
            time.sleep(0.02)
        kinds = self.random.sample(TARGETS, len(TARGETS))
        if self.random.random() < 0.5:  # aim at what was missed so far
            kinds.sort(key=self.landed.count)
        kind = next((kind for kind in kinds if run.processes(kind)), "")
        for victim in run.processes(kind) if kind else []:
            self._kill(victim, kind)
        self._end(driver)
        return False

    def _kill(self, victim, kind):
        """Kill a process and see it dead; one that ended by itself meanwhile doesn't count."""
        try:
            victim.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        _, alive = psutil.wait_procs([victim], timeout=10)
        assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
        self.landed.append(kind)

    def _end(self, driver):
        """See Snakemake end: by our kill, by itself after it lost a rule, or (it goes on) by a kill now."""
        if driver.poll() is None:
            driver.kill()
        driver.wait(timeout=120)


def orphans(run):
    """Return the ranks whose part is dead."""
    return [rank for rank in run.processes("rank") if not psutil.pid_exists(os.getsid(rank.pid))]


@pytest.mark.timeout(3600 if FULL else 1500)
def test_kills_at_random_instants_change_nothing(corpora, undisturbed, tmp_path):  # noqa: F811
    killer, rounds, unfinished = Killer(seed=20), 0, []
    while not killer.done():
        run = tiny.Run(tmp_path / f"round{rounds}", tiny.settings(corpora))
        rounds += 1
        while not killer.done() and not killer.strike(run):
            deadline = time.monotonic() + 5
            while orphans(run) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert not orphans(run), "a rank outlived its part"
        run.finish()
        assert run.receipt_texts() == undisturbed.receipt_texts()
        left = [p.cmdline() for p in run.processes()]
        assert left == []
        unfinished += check_ledger(run)
    hit = {f"of the {target}": killer.landed.count(target) for target in TARGETS}
    note("R1", "kill -9 of anything in a whole run on this machine", len(killer.landed), runs=rounds, **hit)
    assert set(killer.landed) == set(TARGETS)
    assert unfinished, "parts were killed at work, and each such attempt is in the ledger"
    assert sum(a["seconds"] for a in unfinished) > 0


def check_ledger(run):
    """No part was published twice, and what was lost is charged."""
    rows = run.ledger()
    published = [a["key"] for a in rows if a["outcome"] == "published"]
    assert len(published) == len(set(published))
    assert {a["outcome"] for a in rows} <= {"published", "lost", "resume"}
    assert not list((run.folder / "site" / "scratch").iterdir())
    return [a for a in rows if a["outcome"] != "published"]
