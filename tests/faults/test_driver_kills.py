"""kill -9 of the driver, of Snakemake or of its rule's shell: no job twice, none lost, the receipts of a calm run."""

import os
import random
import signal
import time
from collections import Counter

import psutil
import pytest

from tests.faults.figures import FULL, note
from tests.faults.slurm_run import CheapRun
from tests.slurm.daemons import wait_for

KILLS, PARTS = 100 if FULL else 4, 9
SESSION = "driver and its session"  # with the sbatch under way, as by a logout
PLACES = {"slurm": "in Slurm", "here": "on this machine"}
SLOW_SBATCH = """
nap() { sleep 0.$(($(od -An -N2 -tu2 /dev/urandom) % 6)); }
nap; answer=$(real "$@"); code=$?; nap
echo "$answer"; exit $code
"""


class Killer:
    """Starts a run again and again, and kills something of it each time.

    Attributes:
        landed: of each kill, who was hit and when: `before jobs`, `with jobs`, `between intent and answer` of sbatch.
    """

    def __init__(self, seed, window_s):
        self.random, self.landed, self.window_s = random.Random(seed), [], window_s

    @property
    def done(self):
        return len(self.landed) >= KILLS

    def strike(self, run):
        """Start the run and kill something of it; returns whether it ended before."""
        known, by_snakemake = set(run.bare()), len(self.landed) % 4 == 3
        top = run.snakemake() if by_snakemake else run.driver()
        if not self._aim(run, top):
            assert top.wait() == 0, run.words()
            return True
        who = self.random.choice(["snakemake", "rule's shell", "driver"] if by_snakemake else ["driver", SESSION])
        if self._kill(run, top, who):
            at_work = run.intents() if run.cluster else run.processes("part")
            between = "between intent and answer" if set(run.bare()) - known else ""
            self.landed.append((who, between or ("with jobs" if at_work else "before jobs")))
        if top.poll() is None:
            top.kill()
        top.wait()
        return False

    def _aim(self, run, top):
        """Wait for a random instant, half of the time soon after sbatch was called; returns whether the run goes on."""
        calls, until = run.calls("called"), time.monotonic() + self.random.uniform(0.3, self.window_s)
        while time.monotonic() < until and top.poll() is None:
            if len(self.landed) % 2 and run.calls("called") > calls:
                time.sleep(self.random.uniform(0, 0.7))
                break
            time.sleep(0.01)
        return top.poll() is None

    def _kill(self, run, top, who):
        """Kill and see dead; returns whether there was something to kill."""
        if who == SESSION:
            victims = [psutil.Process(top.pid)]
            os.killpg(top.pid, signal.SIGKILL)
        else:
            found = run.processes(who)  # of two drivers one works and the other waits for it
            victims = self.random.sample(found, min(len(found), 1))
            for victim in victims:
                victim.kill()
        wait_for(lambda: not any(alive(victim) for victim in victims), 10, f"{victims} live on")
        return bool(victims)


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = CheapRun(tmp_path_factory.mktemp("undisturbed"), parts=PARTS)
    run.get_done()
    return run


@pytest.mark.timeout(3600 if FULL else 600)
@pytest.mark.parametrize("place", PLACES)
def test_a_killed_driver_leaves_no_job_twice_and_none_behind(place, request, undisturbed, tmp_path):
    cluster = request.getfixturevalue("cluster") if place == "slurm" else None
    killer, runs = Killer(seed=4, window_s=4.0 if cluster else 2.0), []
    while not killer.done:
        run = CheapRun(tmp_path / str(len(runs)), cluster, PARTS, array=1, setup=["sleep 0.5"])
        run.wrap_sbatch(SLOW_SBATCH)
        while not killer.done and not killer.strike(run):
            pass
        run.get_done()
        runs.append(run)
        assert run.receipt_texts() == undisturbed.receipt_texts()
        assert processes_left(run) == []
        assert run.each_part_once()
    doubled, lost = (sum(count) for count in zip(*(jobs(run) for run in runs), strict=True))
    report(place, killer, runs, doubled, lost)
    assert (doubled, lost) == (0, 0)
    when = Counter(when for _, when in killer.landed)
    if FULL:  # a few are left to chance
        assert when["with jobs"] and (when["between intent and answer"] >= KILLS // 5 or not cluster), when


def processes_left(run):
    """Return what still runs of a run that is done (a part that only finds itself done is on its way out)."""
    until = time.monotonic() + 20
    while (left := run.processes()) and time.monotonic() < until:
        time.sleep(0.1)
    return [process.cmdline() for process in left]


def jobs(run):
    """Return how many jobs there were twice, and how many were lost."""
    if not run.cluster:
        return 0, 0
    rows = run.charged()
    return run.duplicates(rows), run.lost(rows)


def report(place, killer, runs, doubled, lost):
    who, when = (Counter(words) for words in zip(*killer.landed, strict=True))
    words = "".join(run.words() for run in runs)
    figures = {"runs": len(runs), **when, **{f"of the {name}": n for name, n in who.items()}}
    if place == "slurm":
        figures |= {"arrays": sum(len(run.intents()) for run in runs), "adopted": words.count("adopted job")}
        figures |= {"sent again": words.count("sending the same intent again")}
    note(
        "R1",
        f"kill -9 of a driver, its jobs {PLACES[place]}",
        len(killer.landed),
        **figures,
        **{"jobs twice": doubled, "jobs lost": lost},
    )
