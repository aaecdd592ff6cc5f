import csv
import dataclasses
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from hominis.errors import InputError
from hominis.report.build import read
from hominis.report.collect import collect
from hominis.report.model import Results
from hominis.report.scores import read_references
from hominis.store.files import digest
from hominis.store.site import Site
from tests.unit.report.made_run import CONFIG, Made, make, train

REFERENCES = Path("workflow/tables/references.csv")
PUBLISHED = {
    "MBPP": ["30.6", "20.8", "33.0", "36.5"],
    "HumanEval": ["18.3", "12.4", "20.8", "20.2"],
    "GSM8k": ["28.7", "20.4", "28.9", "28.7"],
    "MATH": ["3.9", "4.5", "11.2", "13.5"],
    "NaturalQuestions 0-shot": ["16.1", "16.1", "16.3", "16.4"],
    "TriviaQA 0-shot": ["73.1", "65.8", "67.2", "73.7"],
    "tCO2e": ["539", "11.38"],
}


@pytest.fixture(scope="module")
def results(page: Path) -> Results:
    return read(page.with_name("results.json"))


def provenances(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if {"stage", "part", "digest", "attempts", "commit", "config"} <= value.keys():
            yield value
        for inner in value.values():
            yield from provenances(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from provenances(inner)


def test_every_provenance_names_a_receipt_that_stands_and_attempts_of_the_ledger(page: Path, made: Made):
    found = list(provenances(json.loads(page.with_name("results.json").read_text())))
    known = {digest((a.path / "receipt.json").read_text()) for parts in made.artefacts.values() for a in parts}
    known |= {receipt["digest"] for receipt in made.receipts.values()}
    ledger = {f"{attempt.key}/{attempt.n}" for attempt in made.evidence().attempts}
    assert {p["stage"] for p in found} >= {"fetch", "select", "tokenise", "ngram", "pretrain", "score", "account"}
    assert {p["digest"] for p in found if p["stage"] != "account"} <= known
    assert all(p["attempts"] and set(p["attempts"]) <= ledger and p["commit"] and p["config"] for p in found)


def test_the_published_numbers_are_those_of_the_table_of_references(results: Results):
    shown = {row.benchmark: [number.text for number in row.published.values()] for row in results.table}
    order = {
        row.benchmark: [row.published[m].text for m in results.models if m in row.published] for row in results.table
    }
    assert order == PUBLISHED
    assert {name: sorted(texts) for name, texts in shown.items()} == {n: sorted(t) for n, t in PUBLISHED.items()}


def test_what_was_not_run_says_why(results: Results):
    reasons = {row.benchmark: row.measured.reason for row in results.table if row.measured.status == "not run"}
    assert reasons["MBPP"] == "its data set is not on this machine"
    assert reasons["GSM8k"] == "no task of this run measures it"
    assert "HumanEval" not in reasons


def test_a_measured_row_stands_beside_its_published_one_with_its_band(results: Results):
    (row,) = [row for row in results.table if row.benchmark == "HumanEval"]
    assert (row.measured.value, row.measured.low, row.measured.high) == (0.609756, 0.10769, 3.37343)
    assert [p.part for p in row.measured.provenance] == ["humaneval"]


def test_carbon_is_the_ledgers_sum_in_tonnes(results: Results, made: Made):
    carbon = results.table[-1]
    assert carbon.measured.value == pytest.approx(made.evidence().account.total.all.co2e_g.value / 1e6)
    assert carbon.measured.low < carbon.measured.high
    assert carbon.published["Llama 2 13B"].note.startswith("the whole Llama 2 family")


def test_a_benchmark_that_nobody_published_gets_its_own_row(made: Made, tmp_path: Path):
    few = tmp_path / "few.csv"
    lines = REFERENCES.read_text().splitlines()
    few.write_text("\n".join(line for line in lines if "HumanEval" not in line) + "\n")
    config = CONFIG | {"report": {"references": str(few)}}
    rows = {row.benchmark: row for row in collect("r", made.evidence(config=config)).table}
    assert rows["HumanEval"].published == {}
    assert rows["HumanEval"].measured.status == "run"


def test_the_model_is_told_from_the_n_grams_order_by_order(results: Results):
    rows = {row.corpus: {o.order: (o.beaten, o.certain) for o in row.orders} for row in results.held_out}
    assert list(rows) == ["arxiv", "code", "web", "all"]
    assert rows["arxiv"] == {1: (True, True), 2: (True, True), 3: (False, True)}
    assert rows["all"][3] == (True, False)


def test_a_rule_is_shown_with_its_paper_where_the_source_s_policy_has_it(results: Results):
    by_corpus = {(part.corpus, row.paper) for part in results.funnels for row in part.removed if row.rule == "language"}
    assert by_corpus == {("web", "A paper (arXiv:1234.56789)"), ("code", ""), ("arxiv", "")}
    assert results.funnel is not None
    papers = {row.rule: row.paper for row in results.funnel.removed}
    assert (papers["language"], papers["duplicate_near"]) == ("A paper (arXiv:1234.56789)", "")
    assert "2005.14165" in papers["contaminated"]


def test_the_funnel_loses_nothing(results: Results):
    assert results.funnel is not None
    for part in (results.funnel, *results.funnels):
        assert part.read.bytes - sum(removed.bytes for removed in part.removed) == part.kept.bytes
        assert part.read.documents - sum(removed.documents for removed in part.removed) == part.kept.documents
    assert results.funnel.read.bytes == sum(part.read.bytes for part in results.funnels)


def test_the_curves_keep_the_means_of_all_steps(results: Results, made: Made):
    assert results.curves is not None
    rows = [
        json.loads(line) for line in (made.artefacts["pretrain"][0].path / "metrics.jsonl").read_text().splitlines()
    ]
    every, points = results.curves.every, results.curves.points
    assert (every, len(points), points[-1].step) == (3, 400, 1200)
    for name in ("loss", "grad_norm", "learning_rate"):
        assert getattr(points[100], name) == pytest.approx(fmean(row[name] for row in rows[300:303]))


def test_the_smoothed_loss_is_calmer_and_ends_where_the_loss_does(results: Results):
    assert results.curves is not None
    points = [p for p in results.curves.points[200:] if p.loss is not None and p.smoothed is not None]
    loss, smoothed = [p.loss or 0.0 for p in points], [p.smoothed or 0.0 for p in points]
    leaps = [sum(abs(b - a) for a, b in pairwise(values)) for values in (loss, smoothed)]
    assert leaps[1] < leaps[0] / 3
    assert max(smoothed) < 3 < max(loss), "the leap of the skipped step isn't in it"
    assert smoothed[-1] == pytest.approx(fmean(loss[-5:]), abs=0.02)


def test_a_step_done_twice_has_the_speed_of_the_attempt_that_went_on(results: Results):
    assert results.curves is not None
    speeds = {point.step: point.tokens_per_s or 0.0 for point in results.curves.points}
    assert speeds[399] == pytest.approx(8192 / 0.6, rel=0.05)
    assert speeds[420] == pytest.approx(8192 / 0.7, rel=0.05)


def test_restarts_skipped_steps_and_rollbacks_are_marked(results: Results):
    assert results.curves is not None
    marks = [(mark.what, mark.first, mark.last) for mark in results.curves.marks]
    assert marks == [("restart", 400, 400), ("rollback", 900, 910), ("skipped", 700, 700)]


def test_before_a_decay_speed_and_restarts_are_those_of_its_pretraining(tmp_path: Path):
    made = make(Site.at(tmp_path))
    made.stage("decay", ["all"], lambda out, part: train(out))
    folder = made.site.records(made.artefacts["decay"][0].receipt.key, 1)
    folder.mkdir(parents=True)
    (folder / "starts.jsonl").write_text('{"from_step": 300}\n')
    (folder / "steps.jsonl").write_text('{"step": 301, "seconds": 2.0, "tokens_per_s": 7.0}\n')
    curves = collect("r", made.evidence()).curves
    assert curves is not None
    assert curves.provenance.stage == "decay"
    assert [(m.first, m.note) for m in curves.marks if m.what == "restart"] == [(300, "attempt 1 at decay")]
    assert curves.points[50].tokens_per_s == pytest.approx(8192 / 0.6, rel=0.05)


def test_steps_that_were_left_out_have_no_loss(results: Results):
    assert results.curves is not None
    assert {p.step for p in results.curves.points if p.loss is None} == {903, 906, 909}


def test_a_run_whose_attempts_recorded_nothing_has_its_losses_still(made: Made, tmp_path: Path):
    curves = collect("r", made.evidence(records=lambda key, n: tmp_path / key / str(n))).curves
    assert curves is not None
    assert (len(curves.points), curves.tokens_per_s, curves.mfu) == (400, None, None)
    assert {mark.what for mark in curves.marks} == {"rollback", "skipped"}


def test_a_failed_attempt_is_charged_to_its_stage(results: Results):
    rows = {row.stage: row for row in results.stages}
    assert (rows["pretrain"].attempts, rows["pretrain"].attempts_lost) == (2, 1)
    assert results.account.total.lost.energy_kwh > 0
    assert sum(row.energy_kwh for row in results.stages) == pytest.approx(results.account.total.all.energy_kwh)


def test_paths_of_the_site_are_not_in_the_results(page: Path):
    assert "/somewhere/else" not in page.with_name("results.json").read_text()


def test_a_run_without_scores_and_training_still_has_results(made: Made):
    few = {name: made.artefacts[name] for name in ("fetch", "select")}
    results = collect("r", made.evidence(artefacts=few))
    assert (results.training, results.curves, results.held_out) == (None, None, [])
    assert {row.measured.status for row in results.table[:-1]} == {"not run"}


def test_the_end_is_that_of_the_last_attempt(made: Made):
    attempts = [dataclasses.replace(attempt, last=86_400.0) for attempt in made.evidence().attempts]
    assert collect("r", made.evidence(attempts=attempts)).run.finished == "1970-01-02T00:00:00+00:00"


def test_outside_a_checkout_there_is_no_commit(made: Made):
    run = collect("r", made.evidence(source={})).run
    assert (run.commit, run.dirty) == ("", False)


@pytest.mark.parametrize(
    "text", ["", "model,value\na,1\n", REFERENCES.read_text().replace("30.6", "many"), REFERENCES.read_text() + "x\n"]
)
def test_a_broken_table_of_references_is_named(text: str, tmp_path: Path):
    path = tmp_path / "references.csv"
    path.write_text(text)
    if text:
        with pytest.raises(InputError, match=r"references\.csv"):
            read_references(path)
    else:
        assert read_references(path) == []


def test_an_absent_table_of_references_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="no table of published scores"):
        read_references(tmp_path / "none.csv")


def test_every_published_number_has_a_source():
    with REFERENCES.open(encoding="utf-8", newline="") as lines:
        assert all(row["source"] and float(row["value"]) > 0 for row in csv.DictReader(lines))
