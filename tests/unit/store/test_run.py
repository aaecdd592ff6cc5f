"""run_part: one road into the store."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hominis.errors import CorruptArtefact, HominisError, InputError, Interrupted
from hominis.store import artefacts, ledger, run
from hominis.store.attempts import claim, newest, read_events
from hominis.store.files import digest
from hominis.store.site import Site
from hominis.store.types import Part
from tests.unit.store import toy
from tests.unit.store.toy import ToySection

PART = Part("p0", {"number": 0})


def go(site, function=toy.work, section=None, part=PART, inputs=None, **kwargs):
    return run.run_part(site, toy.stage(function), section or ToySection(), part, inputs or {}, run="test", **kwargs)


def key(section=None, part=PART, revision=1, inputs=None):
    return run.key_of(toy.stage(revision=revision), section or ToySection(), part, inputs or {})


def test_a_part_is_done_once(site):
    assert go(site) == run.PUBLISHED
    assert go(site) == run.PRESENT
    assert newest(site, key()) == 1


def test_equal_work_gives_equal_receipts(site, tmp_path):
    other = Site.at(tmp_path / "other")
    go(site), go(other)
    texts = [(s.artefact("toy", key()) / "receipt.json").read_bytes() for s in (site, other)]
    assert texts[0] == texts[1]


def test_what_a_part_warns_of_is_written_down_before_its_artefact_appears(site):
    def warning(section, inputs, part, scratch):
        scratch.warn("a file was cut")
        return toy.work(section, inputs, part, scratch)

    go(site, warning, heartbeat_s=1000)
    written = [event["event"] for event in read_events(site.attempts(key()) / "1") if "warnings" in event]
    assert written == ["beat", "close"]


@pytest.mark.parametrize(
    "changed",
    [
        {"section": ToySection(text="other")},
        {"part": Part("p0", {"number": 7})},
        {"part": Part("p1", {"number": 0})},
        {"revision": 2},
        {"inputs": {"toy": [("k", "d")]}},
    ],
)
def test_whatever_determines_the_bytes_changes_the_key(changed):
    assert key(**changed) != key()


def test_an_unkeyed_field_leaves_the_key_alone():
    assert key(section=ToySection(count=99)) == key()


def test_a_living_attempt_is_not_disturbed(site):
    assert claim(site, key(), {"stage": "toy", "part": "p0", "run": "test"}) is not None
    assert go(site) == run.BUSY


def test_of_two_processes_at_one_part_one_publishes(site):
    outcomes, gate = [], threading.Barrier(8)

    def race():
        gate.wait()
        outcomes.append(go(site))

    threads = [threading.Thread(target=race) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert outcomes.count(run.PUBLISHED) == 1
    assert set(outcomes) <= {run.PUBLISHED, run.PRESENT, run.BUSY}


def test_a_failed_part_leaves_no_artefact_and_a_closed_attempt(site):
    with pytest.raises(InputError, match="a bad record"):
        go(site, toy.failing)
    assert not site.artefact("toy", key()).exists()
    (row,) = ledger.read(site.root)
    assert (row.outcome, row.closed) == ("failed", True)
    assert "a bad record" in row.error


def test_an_unexpected_error_is_recorded_with_its_traceback(site):
    with pytest.raises(ZeroDivisionError):
        go(site, toy.crashing)
    (row,) = ledger.read(site.root)
    assert "crashing" in row.error and "ZeroDivisionError" in row.error


def test_half_written_output_of_a_failure_is_not_in_the_next_attempt(site):
    with pytest.raises(InputError):
        go(site, toy.failing)
    go(site)
    assert set(artefacts.open_artefact(site, "toy", key()).receipt.files) == {"data.txt"}


def test_an_interrupted_part_goes_on_from_its_checkpoint(site):
    for _ in range(2):
        with pytest.raises(Interrupted):
            go(site, toy.counting)
    assert go(site, toy.counting) == run.PUBLISHED
    assert [a.outcome for a in ledger.read(site.root)] == ["resume", "resume", "published"]
    assert [a.progress["done"] for a in ledger.read(site.root)] == [4, 8, 10]


def test_the_scratch_is_gone_after_publishing(site):
    go(site)
    assert list((site.root / "scratch").iterdir()) == []


def test_what_an_attempt_records_outlives_failure_and_publication(site):
    def records(section, inputs, part, scratch):
        (scratch.records / "steps").write_text(str(newest(site, key())))
        if newest(site, key()) == 1:
            raise InputError("not today")
        return toy.work(section, inputs, part, scratch)

    with pytest.raises(InputError):
        go(site, records)
    go(site, records)
    assert [(site.records(key(), n) / "steps").read_text() for n in (1, 2)] == ["1", "2"]


def test_an_attempt_that_records_nothing_leaves_no_folder_of_records(site):
    go(site)
    assert not (site.root / "records").exists()


def test_a_stage_function_can_ask_the_attempt_s_meter(site):
    class Meter:
        def read(self):
            return {"energy_kwh": 2.5}

    def asks(section, inputs, part, scratch):
        (scratch.out / "kwh").write_text(str(scratch.reading()["energy_kwh"]))
        return {}

    go(site, asks, meter=Meter)
    assert (site.artefact("toy", key()) / "kwh").read_text() == "2.5"


def test_corrupt_inputs_are_found_before_use(site):
    go(site)
    mine = site.artefact("toy", key())
    reads = {"toy": [(key(), digest((mine / "receipt.json").read_text()))]}
    (mine / "data.txt").write_text("hellO p0 ")
    with pytest.raises(CorruptArtefact, match=r"data\.txt: its SHA-256 is [0-9a-f]{64}, its receipt says [0-9a-f]{64}"):
        go(site, part=Part("p1"), inputs=reads)


def test_an_artefact_published_meanwhile_wins(site):
    def slow(section, inputs, part, scratch):
        elsewhere = toy.work(section, inputs, part, scratch)
        shutil.copytree(scratch.out, site.artefact("toy", key()))
        return elsewhere

    assert go(site, slow) == run.SUPERSEDED
    assert [a.outcome for a in ledger.read(site.root)] == ["superseded"]


def test_an_owner_whose_scratch_was_taken_over_publishes_nothing(site):
    def overtaken(section, inputs, part, scratch):
        summary = toy.work(section, inputs, part, scratch)
        scratch.out.parent.rename(site.root / "scratch" / "moved")
        return summary

    with pytest.raises((HominisError, RuntimeError)):
        go(site, overtaken)
    assert not site.artefact("toy", key()).exists()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="a full disk needs root to mount one")
def test_a_full_disk_is_one_clear_error_and_nothing_half_written(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("tmpfs can't be mounted here")
    try:
        site = Site.at(small)
        with pytest.raises(HominisError, match="the disk is full") as caught:
            go(site, toy.filling_the_disk)
        assert "free some space" in str(caught.value)
        assert not site.artefact("toy", key()).exists()
        assert go(site) == run.PUBLISHED
    finally:
        subprocess.run(["umount", str(small)], check=True)


KILLED = """
import sys
from pathlib import Path
from hominis.store.run import run_part
from hominis.store.site import Site
from hominis.store.types import Part
from tests.unit.store import toy
run_part(Site.at(sys.argv[1]), toy.stage(toy.sleeping), toy.ToySection(), Part("p0", {"number": 0}), {}, run="test",
         heartbeat_s=0.05)
"""


def start_sleeper(site):
    root = Path(__file__).parents[3]
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(site.root)], cwd=root, stderr=subprocess.PIPE)
    while not (rows := ledger.read(site.root)) or not rows[0].progress:
        assert child.poll() is None
    return child


def test_a_killed_attempt_is_taken_over_with_proof_and_charged_as_lost(site):
    child = start_sleeper(site)
    assert go(site) == run.BUSY
    child.kill(), child.communicate()
    assert go(site) == run.PUBLISHED
    first, second = ledger.read(site.root)
    assert (first.outcome, second.outcome) == ("lost", "published")
    assert first.seconds > 0
    assert '"proof": "process gone"' in (site.attempts(key()) / "2").read_text()


def test_sigterm_closes_the_attempt_for_resumption(site):
    child = start_sleeper(site)
    child.send_signal(signal.SIGTERM)
    child.communicate()
    assert [a.outcome for a in ledger.read(site.root)] == ["resume"]


def test_a_long_attempt_is_read_at_its_ends_and_torn_lines_were_never_written(site):
    attempt = claim(site, key(), {"stage": "toy", "part": "p0", "run": "test"})
    for n in range(3000):
        attempt.write("beat", reading={"energy_kwh": n}, progress={"done": n, "total": 3000, "unit": "steps"})
    with attempt.path.open("a") as file:
        file.write('{"event": "beat", "t": {"torn": 1}')
    (row,) = ledger.read(site.root)
    assert (row.part, row.reading["energy_kwh"], row.progress["done"]) == ("p0", 2999, 2999)
    assert len(read_events(attempt.path)) < 1000
