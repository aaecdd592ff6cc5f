"""The whole road through Snakemake, and what a second start does."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from tests.workflow import tiny

STAGES = [
    "fetch",
    "annotate",
    "deduplicate",
    "questions",
    "select",
    "vocabulary",
    "tokenise",
    "ngram",
    "pretrain",
    "export",
    "generate",
    "score",
]


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the finished run, to do things to."""
    shutil.copytree(undisturbed.folder, tmp_path, dirs_exist_ok=True, copy_function=shutil.copy2)
    return tiny.Run(tmp_path, undisturbed.settings)


def test_it_ends_in_a_report_with_a_receipt_per_stage(undisturbed):
    assert set(undisturbed.receipt_texts()) == set(STAGES)
    report = undisturbed.folder / "results" / "tiny" / "report"
    assert {"index.html", "results.json", "table.md", "table.tex", "table.csv"} <= {p.name for p in report.iterdir()}
    assert "gCO2e" in undisturbed.printed


def test_a_rerun_of_a_finished_run_does_nothing_in_ten_seconds(undisturbed):
    before, begun = undisturbed.ledger(), time.monotonic()
    printed = undisturbed.finish()
    assert time.monotonic() - begun < 10
    assert "Nothing to be done" in printed
    assert undisturbed.ledger() == before


def test_a_comment_or_whitespace_in_a_rule_or_in_the_code_recomputes_nothing(finished, tmp_path):
    workflow = tmp_path / "workflow-copy"
    workflow.mkdir()
    shutil.copy(tiny.ROOT / "Snakefile", workflow)
    shutil.copytree(tiny.ROOT / "rules", workflow / "rules")
    shutil.copytree(tiny.ROOT / "src", workflow / "src")
    finished.finish(snakefile=workflow / "Snakefile")
    before = finished.ledger()
    for path in [*workflow.glob("rules/*.smk"), workflow / "Snakefile", *workflow.glob("src/hominis/corpus/*.py")]:
        path.write_text(path.read_text() + "\n\n# a comment\n")
    finished.variables["PYTHONPATH"] = str(workflow / "src")
    assert "Nothing to be done" in finished.finish(snakefile=workflow / "Snakefile")
    where = subprocess.run(
        [sys.executable, "-c", "import hominis; print(hominis.__file__)"],
        env=finished.environment(),
        capture_output=True,
        text=True,
    )
    assert str(workflow) in where.stdout, "the edited code is the code that runs"
    for stage in ("annotate", "select"):
        finished.hominis(stage)
    assert finished.ledger() == before


def test_a_changed_threshold_recomputes_select_and_what_follows(finished):
    before, receipts = finished.ledger(), finished.receipt_texts()
    policy = {"rules": [{"name": "enough_words", "signal": "rps_doc_word_count", "min": 60}]}
    changed = {"select": {"policies": {"code": policy, "web": policy}, "heldout": 0.1}}
    finished.write(finished.settings | changed)
    finished.finish("--until", "tokenise")
    new = {a["stage"] for a in finished.ledger()[len(before) :]}
    assert new == {"select", "vocabulary", "tokenise"}
    after = finished.receipt_texts()
    assert {name for name in after if after[name] != receipts[name]} == new


def test_a_lost_part_is_noticed_and_done_alone(finished):
    before, receipts = finished.ledger(), finished.receipt_texts()
    lost = next(a for a in before if (a["stage"], a["part"]) == ("annotate", "library-docs"))
    home = finished.folder / "site" / "store" / "annotate" / lost["key"][:2] / lost["key"]
    shutil.rmtree(home)
    assert "annotate: 1 of 2 parts are gone" in finished.finish()
    assert [(a["stage"], a["part"]) for a in finished.ledger()[len(before) :]] == [("annotate", "library-docs")]
    assert finished.receipt_texts() == receipts


def test_a_changed_setting_is_noticed_even_when_snakemake_s_records_are_lost(finished):
    shutil.rmtree(finished.folder / ".snakemake")
    finished.write(finished.settings | {"vocabulary": {"vocab_size": 600}})
    before = finished.ledger()
    assert "vocabulary: made with other settings" in finished.finish("--until", "tokenise")
    assert {a["stage"] for a in finished.ledger()[len(before) :]} == {"vocabulary", "tokenise"}


def test_no_secret_of_the_environment_is_in_anything_that_was_written(undisturbed, secrets):
    values = [v.split("me:")[-1].split("@")[0].encode() for v in secrets.values()]
    written = [p for top in ("site", "results") for p in (undisturbed.folder / top).rglob("*") if p.is_file()]
    assert len(written) > 50
    found = [(path, value) for path in written for value in values if value in path.read_bytes()]
    assert found == []
    opened = [p for p in written if p.parts[-4] == "attempts"]
    assert all("HOMINIS_SECRET_8" in p.read_text() and "HOMINIS_NOTE_9" in p.read_text() for p in opened)


def test_the_attempts_of_a_run_are_all_published_and_metered(undisturbed):
    attempts = undisturbed.ledger()
    assert {a["outcome"] for a in attempts} == {"published"}
    assert all(a["reading"]["energy_kwh"] > 0 for a in attempts)
    account = json.loads((undisturbed.folder / "results/tiny/report/account.json").read_text())
    assert account["total"]["all"]["attempts"] == len(attempts)


def test_two_drivers_started_at_once_share_the_work(corpora, undisturbed, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    both = [run.start("--until", "select") for _ in range(2)]
    assert [driver.wait(timeout=300) for driver in both] == [0, 0]
    texts = run.receipt_texts()
    assert texts == {name: undisturbed.receipt_texts()[name] for name in texts}
    assert len(texts) == 5
    assert len(run.ledger()) == 9
