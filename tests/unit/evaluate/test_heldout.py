import json

import pytest

from hominis.evaluate.heldout import held_out
from tests.unit.corpus.selected import artefact

TEXTS = [f"Document {n}: " + "ä word " * (10 * n) for n in range(12)]


@pytest.fixture
def corpora(tmp_path):
    made = []
    for corpus in ("web", "code"):
        path = tmp_path / corpus
        path.mkdir()
        lines = [json.dumps({"id": f"{corpus}/{n:02}", "text": text}) + "\n" for n, text in enumerate(TEXTS)]
        (path / "heldout.jsonl").write_text("".join(lines), encoding="utf-8")
        made.append(artefact(path, "tokenise", corpus, {"corpus": corpus}))
    return made


def test_all_documents_are_asked_where_they_fit(corpora):
    found = held_out(corpora, 1_000_000)
    assert [one["corpus"] for one in found] == ["code"] * 12 + ["web"] * 12
    assert {one["text"] for one in found} == set(TEXTS)
    assert all(one["bytes"] == len(one["text"].encode()) for one in found)


def test_bound_holds_per_corpus_and_the_last_document_is_cut_between_characters(corpora):
    for bound in range(1_000, 1_020):
        sizes = {"web": 0, "code": 0}
        for one in held_out(corpora, bound):
            sizes[one["corpus"]] += one["bytes"]
            assert any(text.startswith(one["text"]) for text in TEXTS)
        assert all(bound - 1 <= size <= bound for size in sizes.values())


def test_larger_bound_adds_documents_and_changes_none(corpora):
    small = held_out(corpora, 1_000)
    large = {one["id"]: one["text"] for one in held_out(corpora, 3_000)}
    assert all(large[one["id"]].startswith(one["text"]) for one in small)
    assert len(large) > len(small)
