"""What Slurm charged, kept beyond the accounting's memory; what readers believe of jobs."""

import json
import time

import pytest

from hominis.cli.ledger import rows, totals
from hominis.jobs import intents
from hominis.jobs.backend import Unclear
from hominis.jobs.charges import allocations
from hominis.jobs.witness import Witness
from hominis.store import ledger
from hominis.store.owner import myself
from tests.unit.jobs.programs import put


@pytest.fixture
def intent(site):
    made = intents.write(site.jobs("fetch", "k1"), "a-run", ["p0", "p1"], [])
    made.taken("5")
    return made


@pytest.fixture
def sacct(intent, tmp_path, monkeypatch):
    """Return ``say(*rows)``: what sacct answers of the intent, a tuple of fields a row."""

    def say(*found):
        lines = "\n".join("|".join(map(str, row)).replace("NAME", intent.name) for row in found)
        (tmp_path / "sacct.txt").write_text(lines)
        put(tmp_path / "bin", monkeypatch, sacct=f"cat {tmp_path}/sacct.txt", squeue="true")

    return say


def row(index, state, begun, seconds, nodes=1, joules=""):
    id = f"5_{index}" if str(index).isdigit() else f"5_[{index}]"
    return (id, 5, "NAME", state, "0:0", seconds, nodes, "n", begun or "None", "", joules, seconds)


def test_each_start_of_a_task_is_an_allocation(site, sacct):
    sacct(row(0, "NODE_FAIL", 1000, 10, 2), row(0, "COMPLETED", 1020, 5, 2, 900), row("1-1", "CANCELLED by 0", None, 0))
    found = allocations(site)
    assert [(i, k, a.state, a.node_seconds, a.joules) for (_, i, k), a in found.items()] == [
        (0, 0, "NODE_FAIL", 20, 0.0),
        (0, 1, "COMPLETED", 10, 900.0),
    ]
    assert {(a.stage, a.part, a.run) for a in found.values()} == {("fetch", "p0", "a-run")}
    assert allocations(site, "another-run") == {}


def test_what_ended_long_ago_is_known_without_the_accounting(site, sacct, tmp_path, monkeypatch):
    sacct(row(0, "COMPLETED", 1000, 10), row(1, "FAILED", 1000, 3))
    before = allocations(site)
    put(tmp_path / "bin", monkeypatch, sacct="exit 1")
    assert allocations(site) == before and len(before) == 2


@pytest.mark.parametrize(("state", "seconds_ago"), [("RUNNING", 10_000), ("COMPLETED", 20)])
def test_what_may_still_change_is_not_written_down(site, sacct, state, seconds_ago, tmp_path, monkeypatch):
    sacct(row(0, "COMPLETED", 1000, 10), row(1, state, int(time.time()) - seconds_ago, 3))
    assert len(allocations(site)) == 2
    put(tmp_path / "bin", monkeypatch, sacct="exit 1")
    with pytest.raises(Unclear):
        allocations(site)


def attempt(site, intent, index, outcome="published"):
    slurm = {"batch": str(intent.path), "name": intent.name, "index": index, "job": "5", "restart": 0, "nodes": "n"}
    owner = myself() | {"host": "elsewhere", "slurm": slurm}
    path = site.attempts(f"key{index}") / "1"
    path.parent.mkdir(parents=True)
    first = {"event": "open", "t": 1000.0, "owner": owner, "stage": "fetch", "part": f"p{index}", "run": "a-run"}
    events = [first] + ([{"event": "close", "t": 1008.0, "outcome": outcome}] if outcome else [])
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return owner


def test_the_ledger_joins_attempts_and_charges_and_leaves_none_out(site, intent, sacct):
    sacct(row(0, "COMPLETED", 999, 11), row(1, "BOOT_FAIL", 1000, 3))
    attempt(site, intent, 0)
    found = rows(ledger.read(site.root), allocations(site))
    assert [(r["outcome"], r["job"], r["node_seconds"]) for r in found] == [
        ("published", "5_0", 11),
        ("unclaimed", "5_1", 3),
    ]
    assert (totals(found)["all"]["node_seconds"], totals(found)["all"]["attempts"]) == (14, 1)


def outcome(site):
    return [a.outcome for a in ledger.read(site.root, proof=Witness(site).proof)]


def test_a_start_that_lasted_no_second_is_one_nevertheless(site, intent, sacct):
    """Attempts find their allocation by how often their task had been started."""
    sacct(row(0, "REQUEUED", 999, 0), row(0, "COMPLETED", 1000, 11))
    attempt(site, intent, 0)
    found = rows(ledger.read(site.root), allocations(site))
    assert [(r["outcome"], r["state"]) for r in found] == [("published", "REQUEUED"), ("unclaimed", "COMPLETED")]


def test_an_attempt_whose_job_ended_is_lost_to_its_readers(site, intent, sacct):
    sacct(row(0, "TIMEOUT", 1000, 11))
    attempt(site, intent, 0, outcome=None)
    assert outcome(site) == ["lost"]


def test_without_slurm_nobody_says_that_an_attempt_is_lost(site, intent, tmp_path, monkeypatch):
    attempt(site, intent, 0, outcome=None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert outcome(site) == [None]


def test_a_person_can_say_that_a_batch_is_over(site, intent, sacct):
    """As `hominis cancel` does with what the queue doesn't know: the end is on record, and proves the owner dead."""
    sacct()
    attempt(site, intent, 0, outcome=None)
    assert outcome(site) == [None]
    intent.close({0: ("CANCELLED", "0:0", "")})
    assert outcome(site) == ["lost"]
