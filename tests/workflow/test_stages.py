"""A stage as its users meet it: the verb, the store behind it, what it says when something is wrong."""

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow import tiny


def attempts(run):
    return [(a["stage"], a["part"], a["n"]) for a in run.ledger()]


def artefact(run, stage, part):
    for receipt in (run.folder / "site" / "store" / stage).glob("*/*/receipt.json"):
        if json.loads(receipt.read_text())["part"] == part:
            return receipt.parent
    raise AssertionError(f"no artefact of {stage}/{part}")


def test_a_stage_that_is_done_makes_no_attempt(text_run):
    before = attempts(text_run), text_run.receipt_texts()
    assert "2 of 2 parts are in the store" in text_run.hominis("annotate").stderr
    assert (attempts(text_run), text_run.receipt_texts()) == before


def test_one_missing_part_is_done_alone(text_run):
    before, receipts = attempts(text_run), text_run.receipt_texts()
    artefact(text_run, "annotate", "library-code").rename(text_run.folder / "lost")
    text_run.hominis("annotate")
    assert [a for a in attempts(text_run) if a not in before] == [("annotate", "library-code", 2)]
    assert text_run.receipt_texts() == receipts


def test_a_changed_threshold_leaves_annotate_alone(text_run):
    before = text_run.ledger()
    policy = {"rules": [{"name": "enough_words", "signal": "rps_doc_word_count", "min": 60}]}
    text_run.write(text_run.settings | {"select": {"policies": {"code": policy, "web": policy}, "heldout": 0.1}})
    for stage in ("fetch", "annotate", "deduplicate", "questions", "select"):
        text_run.hominis(stage)
    new = text_run.ledger()[len(before) :]
    assert [a["stage"] for a in new] == ["select", "select"]


def test_two_drivers_at_once_do_the_work_once(text_run):
    for part in ("library-code", "library-docs"):
        artefact(text_run, "annotate", part).rename(text_run.folder / part)
    command = [sys.executable, "-m", "hominis", "annotate", "--config", str(text_run.config), "--jobs", "1"]
    both = [subprocess.Popen(command, cwd=text_run.folder, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [driver.communicate()[1] for driver in both]
    assert [driver.returncode for driver in both] == [0, 0]
    assert sum("another driver is at work: waiting for process" in text for text in said) == 1
    assert [a for a in attempts(text_run) if a[0] == "annotate" and a[2] > 1] == [
        ("annotate", "library-code", 2),
        ("annotate", "library-docs", 2),
    ]


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damage_is_found_named_and_repaired_alone(text_run):
    damaged = artefact(text_run, "annotate", "library-docs") / "annotations.parquet"
    receipts, before = text_run.receipt_texts(), attempts(text_run)
    flip_a_byte(damaged)
    found = text_run.hominis("verify", check=False)
    assert found.returncode == 1
    assert str(damaged) in found.stderr and "its receipt says" in found.stderr
    text_run.hominis("repair")
    assert [a for a in attempts(text_run) if a not in before] == [("annotate", "library-docs", 2)]
    assert text_run.receipt_texts() == receipts
    assert text_run.hominis("verify", "--deep").returncode == 0


@pytest.mark.parametrize("name", ["receipt.json", "parts.jsonl"])
def test_damage_of_a_stage_s_own_artefact_is_found_and_repaired(text_run, name):
    key = json.loads(text_run.receipt_texts()["annotate"])["key"]
    damaged = text_run.folder / "site" / "store" / "annotate" / key[:2] / key / name
    receipts, before = text_run.receipt_texts(), attempts(text_run)
    text = damaged.read_text()
    at = text.rindex("a")
    damaged.write_text(text[:at] + "b" + text[at + 1 :])
    found = text_run.hominis("verify", check=False)
    assert found.returncode == 1 and str(damaged) in found.stderr
    text_run.hominis("repair")
    assert text_run.hominis("verify", "--deep").returncode == 0
    assert text_run.receipt_texts() == receipts
    assert attempts(text_run) == before, "only the list was made anew"


@pytest.mark.parametrize("name", ["receipt.json", "parts.jsonl"])
def test_a_stage_s_damaged_list_of_parts_is_made_anew_when_the_stage_is_asked_for(text_run, name):
    key = json.loads(text_run.receipt_texts()["annotate"])["key"]
    damaged = text_run.folder / "site" / "store" / "annotate" / key[:2] / key / name
    receipts, before, text = text_run.receipt_texts(), attempts(text_run), damaged.read_text()
    flip_a_byte(damaged)
    assert damaged.read_bytes() != text.encode()
    text_run.hominis("annotate")
    assert damaged.read_text() == text
    assert (text_run.receipt_texts(), attempts(text_run)) == (receipts, before)


def test_a_part_s_damaged_receipt_is_found_repaired_and_never_endorsed(text_run):
    damaged = artefact(text_run, "annotate", "library-docs") / "receipt.json"
    receipts, text = text_run.receipt_texts(), damaged.read_text()
    count = str(json.loads(text)["summary"]["documents"])
    damaged.write_text(text.replace(f'"documents": {count}', f'"documents": {count}1'))
    refused = text_run.hominis("annotate", check=False)
    assert refused.returncode == 1 and str(damaged) in refused.stderr and "seal" in refused.stderr
    assert text_run.hominis("verify", check=False).returncode == 1
    text_run.hominis("repair")
    assert damaged.read_text() == text
    assert text_run.receipt_texts() == receipts


@pytest.mark.parametrize("garbage", ["", "{", "[]", '{"stage": "annotate"}'])
def test_a_run_s_garbled_copy_of_a_receipt_is_written_anew_and_costs_nothing(text_run, garbage):
    receipts, before = text_run.receipt_texts(), attempts(text_run)
    stored = sorted(p.name for p in (text_run.folder / "site" / "store" / "annotate").glob("*/*"))
    (text_run.receipts / "annotate.json").write_text(garbage)
    assert json.loads(text_run.hominis("status", "--json").stdout)["stages"][1]["state"] == "stale"
    assert text_run.hominis("verify", check=False).returncode == 1
    text_run.hominis("repair")
    assert (text_run.receipt_texts(), attempts(text_run)) == (receipts, before)
    assert sorted(p.name for p in (text_run.folder / "site" / "store" / "annotate").glob("*/*")) == stored


def test_a_stage_of_other_settings_is_shown_as_stale_and_not_reported(text_run):
    policy = {"rules": []}
    text_run.write(text_run.settings | {"select": {"policies": {"code": policy, "web": policy}}})
    status = json.loads(text_run.hominis("status", "--json").stdout)
    shown = {stage["stage"]: stage["state"] for stage in status["stages"]}
    assert (shown["annotate"], shown["select"]) == ("done", "stale")
    refused = text_run.hominis("report", check=False)
    assert refused.returncode == 1
    assert "select: made with other settings" in refused.stderr


def test_a_run_without_receipts_is_not_called_whole(corpora, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    for verb in ("verify", "account", "report", "repair"):
        refused = run.hominis(verb, check=False)
        assert refused.returncode == 1
        assert "has no receipts yet" in refused.stderr


def test_a_site_that_is_a_file_is_one_clear_error(corpora, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    (tmp_path / "site").write_text("not a folder")
    refused = run.hominis("fetch", check=False)
    assert refused.returncode == 1
    assert "site.root" in refused.stderr and "Traceback" not in refused.stderr


def test_damage_is_found_before_use(text_run):
    flip_a_byte(artefact(text_run, "annotate", "library-docs") / "annotations.parquet")
    artefact(text_run, "deduplicate", "all").rename(text_run.folder / "gone")
    used = text_run.hominis("deduplicate", check=False)
    assert used.returncode == 1
    assert "annotations.parquet: its SHA-256 is" in used.stderr
    assert "hominis repair" in used.stderr


def test_status_ledger_and_verify_speak_json(text_run):
    status = json.loads(text_run.hominis("status", "--json").stdout)
    assert [s["state"] for s in status["stages"][:6]] == ["done"] * 5 + ["to do"]
    ledger = json.loads(text_run.hominis("ledger", "--json").stdout)
    assert ledger["totals"]["all"]["attempts"] == len(ledger["attempts"]) == 9
    assert all(a["reading"]["energy_kwh"] > 0 for a in ledger["attempts"])
    assert json.loads(text_run.hominis("verify", "--json").stdout) == {"checked": 9, "damaged": []}


def test_a_wrong_hash_names_both(corpora, tmp_path):
    table = tmp_path / "sources.csv"
    right = next(line for line in corpora.read_text().splitlines() if "library-docs" in line).split(",")[6]
    table.write_text(corpora.read_text().replace(right, "0" * 64))
    run = tiny.Run(tmp_path / "run", tiny.settings(table))
    done = run.hominis("fetch", check=False)
    assert done.returncode == 1
    assert right in done.stderr and "0" * 64 in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_cut_short_is_said_to_who_runs_the_stage(corpora, tmp_path):
    with corpora.open(newline="") as file:
        rows = list(csv.DictReader(file))
    docs = rows[1]
    cut = Path(docs["locator"]).read_bytes()[: int(docs["bytes"]) // 2]
    docs["locator"] = str(tmp_path / docs["file"])
    Path(docs["locator"]).write_bytes(cut)
    docs |= {"sha256": hashlib.sha256(cut).hexdigest(), "bytes": len(cut)}
    with (tmp_path / "sources.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(docs))
        table.writeheader()
        table.writerows(rows)
    run = tiny.Run(tmp_path / "run", tiny.settings(tmp_path / "sources.csv"))
    run.hominis("fetch")
    said = run.hominis("annotate").stderr
    assert "warning: library-docs: 1 of its files ends before its end" in said
    assert said.count("warning:") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"selct": {}}, "selct: there is no such setting; did you mean 'select'?"),
        (
            {"pretrain": {"stepps": 3, "blend": {"web": 1}}},
            "pretrain.stepps: there is no such setting; did you mean 'steps'?",
        ),
        ({"pretrain": {"blend": {"web": 0.7, "code": 0.7}}}, "1.4"),
        ({"pretrain": {"blend": {"web": 1}, "steps": "many"}}, "pretrain.steps: "),
        ({"select": {"policies": {"web": {"rules": [{"name": "x", "signal": "nonsense", "min": 1}]}}}}, "nonsense"),
        ({"fetch": {"sources": "nowhere.csv"}}, "nowhere.csv"),
        ({"pretrain": {"blend": {"web": 0.5, "klingon": 0.5}}}, "no source is of klingon"),
        ({"select": {"policies": {"web": {"rules": []}}}}, "select.policies: none for code"),
        ({"pretrain": {"blend": {"web": 1}, "schedule": {"learning_rate": float("inf")}}}, "learning_rate: "),
        ({"run": "../x"}, "run: "),
        ({"backend": "pbs"}, "backend: "),
    ],
)
def test_a_bad_configuration_is_refused_before_any_work(corpora, tmp_path, changes, said):
    run = tiny.Run(tmp_path, tiny.settings(corpora) | changes)
    done = run.hominis("fetch", check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "site").exists()


def test_a_configuration_that_is_no_yaml_or_absent_is_refused(tmp_path):
    for name, text in (("bad.yaml", "a: [1"), ("list.yaml", "- 1"), ("absent.yaml", None)):
        if text:
            (tmp_path / name).write_text(text)
        command = [sys.executable, "-m", "hominis", "status", "--config", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 2
        assert name in done.stderr and "Traceback" not in done.stderr
