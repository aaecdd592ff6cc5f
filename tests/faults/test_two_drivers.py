"""Two drivers at once, on two "hosts": of one stage, one writes and the other waits; of one part, one attempt works."""

import subprocess

import pytest

from tests.faults.figures import FULL, note
from tests.faults.slurm_run import PATIENCE_S, CheapRun

RACES, FEWER = (50, 10) if FULL else (4, 1)
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


def race(folder, *runs, start=START):
    """Start the driver of each run on a host of its own, at the same instant; returns host → exit code and words."""
    said = {host: folder / f"said.{host}" for host in HOSTS}
    drivers = {
        host: run.driver(*UNSHARE, "sh", "-c", start, host, str(folder / "go"), said=said[host])
        for host, run in zip(HOSTS, runs, strict=True)
    }
    (folder / "go").touch()
    return {host: (driver.wait(timeout=PATIENCE_S), said[host].read_text()) for host, driver in drivers.items()}


@pytest.mark.timeout(3600 if FULL else 600)
def test_of_two_drivers_one_submits_and_the_other_waits(namespaces, cluster, undisturbed, tmp_path):
    named, twice, lost = 0, 0, 0
    for n in range(RACES):
        run = CheapRun(tmp_path / str(n), cluster, setup=["sleep 0.5"])
        ends = race(run.folder, run, run)
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
    jobs, refused, longest = 0, 0, 0
    for n in range(FEWER):
        one, two = (CheapRun(tmp_path / f"{n}.{name}", cluster, setup=["sleep 1"]) for name in ("one", "two"))
        table = two.folder / "sources" / "sources.csv"
        head, *rows = table.read_text().splitlines()
        table.write_text("\n".join([head, *reversed(rows)]))
        two.write(two.settings | {"site": {"root": str(one.folder / "site")}})
        ends = race(tmp_path, one, two)
        (tmp_path / "go").unlink()
        assert {code for code, _ in ends.values()} == {0}, ends
        assert one.each_part_once()
        rows = one.charged(two)
        assert len(rows) > one.parts, "the fault landed: there were two jobs for a part"
        left = [int(row["ElapsedRaw"]) for row in rows if row["ExitCode"] == BUSY]
        jobs, refused, longest = jobs + len(rows), refused + len(left), max([longest, *left])
        one.get_done(), two.get_done()
    figures = {"jobs": jobs, "parts": FEWER * one.parts, "found another at work": refused}
    note("R6", "two jobs for one part", FEWER, **figures, **{"left after, s": longest, "published twice": 0})
    assert refused


@pytest.mark.timeout(3600 if FULL else 600)
def test_where_locks_end_at_the_host_each_part_is_made_once_all_the_same(namespaces, cluster, undisturbed, tmp_path):
    """A driver may then stop with an error, and the next start goes on."""
    (home,) = (undisturbed.folder / "site" / "jobs" / "fetch").iterdir()
    arrays, failed = 0, 0
    for n in range(FEWER):
        run = CheapRun(tmp_path / str(n), cluster, setup=["sleep 1"])
        (lock := run.folder / "site" / "jobs" / "fetch" / home.name / "driver.lock").parent.mkdir(parents=True)
        lock.touch()
        ends = race(run.folder, run, run, start=OWN_LOCK + START)
        assert not any("another driver is at work" in said for _, said in ends.values()), "the fault landed"
        assert 0 in {code for code, _ in ends.values()}, ends
        failed += sum(code != 0 for code, _ in ends.values())
        run.get_done()
        assert run.each_part_once()
        assert run.receipt_texts() == undisturbed.receipt_texts()
        arrays += len({row["array"] for row in run.charged()})
    figures = {"arrays": arrays, "drivers that stopped with an error": failed, "published twice": 0}
    note("R6", "two drivers where locks end at the host", FEWER, **figures)
