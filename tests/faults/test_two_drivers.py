"""Two drivers at once, on two "hosts": of one stage, one writes and the other waits; of one part, one attempt works."""

import contextlib
import subprocess

import pytest

from tests.faults.figures import FULL, note
from tests.faults.held_run import HeldRun
from tests.faults.slurm_run import PATIENCE_S, CheapRun
from tests.slurm.daemons import wait_for

RACES, FEWER = (50, 10) if FULL else (2, 1)
HOSTS = ("login01", "login02")
UNSHARE = ["unshare", "--uts", "--pid", "--fork", "--mount-proc"]
START = 'hostname "$0"; while [ ! -e "$1" ]; do sleep 0.01; done; shift; exec "$@"'
OWN_LOCK = 'for lock in site/jobs/fetch/*/driver.lock; do : > "$0"; mount --bind "$0" "$lock"; done; '
BUSY = "76:0"


@pytest.fixture(scope="module")
def namespaces():
    """A host of its own: another name, other process numbers."""
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = CheapRun(tmp_path_factory.mktemp("undisturbed"))
    run.get_done()
    return run


def start(folder, *runs, by=START):
    """Start the driver of each run on a host of its own, at the same instant; returns host → driver and its words."""
    said = {host: folder / f"said.{host}" for host in HOSTS}
    drivers = {
        host: (run.driver(*UNSHARE, "sh", "-c", by, host, str(folder / "go"), said=said[host]), said[host])
        for host, run in zip(HOSTS, runs, strict=True)
    }
    (folder / "go").touch()
    return drivers


def ended(drivers):
    """Wait until the drivers have ended; returns host → exit code and words."""
    return {host: (driver.wait(timeout=PATIENCE_S), said.read_text()) for host, (driver, said) in drivers.items()}


@pytest.mark.timeout(3600 if FULL else 600)
def test_of_two_drivers_one_submits_and_the_other_waits(namespaces, cluster, undisturbed, tmp_path):
    named, twice, lost = 0, 0, 0
    for n in range(RACES):
        run = CheapRun(tmp_path / str(n), cluster, setup=["sleep 0.5"])
        ends = ended(start(run.folder, run, run))
        assert {code for code, _ in ends.values()} == {0}, ends
        writers = [host for host, (_, said) in ends.items() if "submitted job" in said]
        waiters = [host for host, (_, said) in ends.items() if "another driver is at work: waiting for" in said]
        assert {*writers, *waiters} == {*HOSTS} and len(writers) == len(waiters) == 1, ends
        named += f"waiting for process 1 on {writers[0]}" in ends[waiters[0]][1]
        assert run.receipt_texts() == undisturbed.receipt_texts()
        assert run.each_part_once() and len(run.ledger()) == run.parts
        rows = run.charged()
        twice, lost = twice + run.duplicates(rows), lost + run.lost(rows)
        assert len({row["array"] for row in rows}) == 1
    figures = {"one writer": RACES, "the other said for whom": named, "jobs twice": twice, "jobs lost": lost}
    note("R6", "two drivers of a stage on two hosts at once", RACES, **figures)
    assert (twice, lost, named) == (0, 0, RACES)


@pytest.mark.timeout(3600 if FULL else 600)
def test_of_two_jobs_for_one_part_one_works_and_the_other_leaves(namespaces, cluster, tmp_path):
    """Two runs that list the same parts in another order share no lock, so both submit: attempts alone decide."""
    rounds = [contend(tmp_path / str(n), cluster) for n in range(FEWER)]
    figures = {"jobs": sum(jobs for jobs, _ in rounds), "parts": 2 * FEWER}
    seconds = [lasted for _, each in rounds for lasted in each]
    figures |= {"found another at work": len(seconds), "left after, s": max(seconds), "published twice": 0}
    note("R6", "two jobs for one part", FEWER, **figures)
    assert len(seconds) >= FEWER


def contend(folder, cluster):
    """Let two jobs for the same part meet; returns how many jobs there were, and how long those that left lasted."""
    with (
        contextlib.closing(HeldRun(folder / "one", cluster, parts=2)) as one,
        contextlib.closing(HeldRun(folder / "two", cluster, parts=2)) as two,
    ):
        share(one, two)
        drivers = start(folder, one, two)
        wait_for(lambda: left(one, two), PATIENCE_S, lambda: str(drivers))
        one.index.release()
        ends = ended(drivers)
        assert {code for code, _ in ends.values()} == {0}, ends
        assert one.each_part_once()
        return len(one.charged(two)), [int(row["ElapsedRaw"]) for row in left(one, two)]


def share(one, two):
    """Have a second run make the parts of the first, in its site, but list them in another order."""
    head, *rows = (one.folder / "sources" / "sources.csv").read_text().splitlines()
    (two.folder / "sources" / "sources.csv").write_text("\n".join([head, *reversed(rows)]))
    two.variables |= one.index.variables
    two.write(two.settings | {"site": {"root": str(one.folder / "site")}})


def left(*runs):
    """Return sacct's rows of the jobs that found another at work."""
    folders = {str(run.folder) for run in runs}
    rows = runs[0].cluster.sacct("ExitCode,ElapsedRaw,WorkDir", "-D", "-S", "now-1days")
    return [row for row in rows if row["WorkDir"] in folders and row["ExitCode"] == BUSY]


@pytest.mark.timeout(3600 if FULL else 600)
def test_where_locks_end_at_the_host_each_part_is_made_once_all_the_same(namespaces, cluster, undisturbed, tmp_path):
    """A driver may then stop with an error, and the next start goes on."""
    (home,) = (undisturbed.folder / "site" / "jobs" / "fetch").iterdir()
    arrays, failed = 0, 0
    for n in range(FEWER):
        run = CheapRun(tmp_path / str(n), cluster, setup=["sleep 1"])
        (lock := run.folder / "site" / "jobs" / "fetch" / home.name / "driver.lock").parent.mkdir(parents=True)
        lock.touch()
        ends = ended(start(run.folder, run, run, by=OWN_LOCK + START))
        assert not any("another driver is at work" in said for _, said in ends.values()), "the fault landed"
        assert 0 in {code for code, _ in ends.values()}, ends
        failed += sum(code != 0 for code, _ in ends.values())
        run.get_done()
        assert run.each_part_once()
        assert run.receipt_texts() == undisturbed.receipt_texts()
        arrays += len({row["array"] for row in run.charged()})
    figures = {"arrays": arrays, "drivers that stopped with an error": failed, "published twice": 0}
    note("R6", "two drivers where locks end at the host", FEWER, **figures)
