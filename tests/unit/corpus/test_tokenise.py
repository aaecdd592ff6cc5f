import json
from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from hominis.config.tokenise import TokeniseSection, VocabularySection
from hominis.corpus import tokenise, vocabulary
from hominis.errors import InputError
from tests.unit.corpus.selected import run, selected

PROSE = [f"The {n}th house on the hill has {n * 7} windows. Naïve façade № {n} ☂\n" for n in range(60)]
HELD = [f"Nobody saw the {n} ships that left; they were never counted: {n * 31}." for n in range(9)]
CODE = [f"def value_{n}(x):\n\treturn x * {n}  # <|endoftext|> is only text here\n" for n in range(60)]


@pytest.fixture
def upstream(tmp_path):
    select = [
        selected(tmp_path / "select", "pages", "web", {"train": PROSE[:30], "heldout": HELD[:4]}),
        selected(tmp_path / "select", "gitea", "code", {"train": CODE, "heldout": ["x = 1\n"]}),
        selected(tmp_path / "select", "books", "web", {"train": PROSE[30:], "heldout": HELD[4:]}),
    ]
    learnt = run(vocabulary, VocabularySection(vocab_size=700), {"select": select}, tmp_path / "vocabulary")
    return {"select": select, "vocabulary": list(learnt.values())}


def texts(artefact, upstream, split):
    """Read a shard by its index and decode it, document by document."""
    index = (artefact.path / f"{split}.idx").read_bytes()
    count = int(np.frombuffer(index, "<u8", 1, 18)[0])
    lengths = np.frombuffer(index, "<i4", count, 34)
    tokens = np.fromfile(artefact.path / f"{split}.bin", "<u2")
    tokenizer = Tokenizer.from_file(str(upstream["vocabulary"][0].path / "tokenizer.json"))
    documents = np.split(tokens, np.cumsum(lengths))[:-1]
    assert all(document[-1] == 0 and (document[:-1] != 0).all() for document in documents)
    return [tokenizer.decode(document[:-1].tolist()) for document in documents]


def test_a_part_per_corpus_reads_that_corpus_only(upstream):
    parts = tokenise.parts(TokeniseSection(), upstream)
    assert [part.id for part in parts] == ["code", "web"]
    assert parts[1].inputs == {"select": ["pages", "books"], "vocabulary": ["all"]}


def test_shards_decode_to_the_text_of_their_split(upstream, tmp_path):
    done = run(tokenise, TokeniseSection(batch_documents=7), upstream, tmp_path / "work")
    assert texts(done["web"], upstream, "train") == PROSE
    assert texts(done["web"], upstream, "heldout") == HELD
    assert texts(done["code"], upstream, "train") == CODE


def test_no_heldout_document_is_in_any_training_shard(upstream, tmp_path):
    done = run(tokenise, TokeniseSection(), upstream, tmp_path / "work")
    trained = {text for artefact in done.values() for text in texts(artefact, upstream, "train")}
    held = {text for artefact in done.values() for text in texts(artefact, upstream, "heldout")}
    assert len(held) == 10 and len(trained) == 120
    assert not trained & held


def test_end_of_text_inside_a_document_does_not_end_it(upstream, tmp_path):
    done = run(tokenise, TokeniseSection(), upstream, tmp_path / "work")
    tokens = np.fromfile(done["code"].path / "train.bin", "<u2")
    assert (tokens == 0).sum() == len(CODE)


def test_a_document_ends_with_the_token_that_the_vocabulary_says(upstream, tmp_path):
    (learnt,) = upstream["vocabulary"]
    other = replace(learnt, receipt=replace(learnt.receipt, section={"end_of_text": "~"}))
    done = run(tokenise, TokeniseSection(), {**upstream, "vocabulary": [other]}, tmp_path / "work")
    tokens = np.fromfile(done["code"].path / "train.bin", "<u2")
    end = Tokenizer.from_file(str(learnt.path / "tokenizer.json")).token_to_id("~")
    assert end != 0 and tokens[-1] == end and (tokens == end).sum() == len(CODE)


def test_summary_counts_what_the_shards_hold(upstream, tmp_path):
    web = run(tokenise, TokeniseSection(), upstream, tmp_path / "work")["web"]
    for split, of_split in (("train", PROSE), ("heldout", HELD)):
        assert web.summary[split] == {
            "documents": len(of_split),
            "tokens": (web.path / f"{split}.bin").stat().st_size // 2,
            "bytes": sum(len(text.encode()) for text in of_split),
        }


def test_heldout_text_is_sorted_by_id(upstream, tmp_path):
    web = run(tokenise, TokeniseSection(), upstream, tmp_path / "work")["web"]
    lines = [json.loads(line) for line in (web.path / "heldout.jsonl").read_bytes().split(b"\n")[:-1]]
    assert [line["id"] for line in lines] == sorted(
        f"{s}/heldout{n}" for s, k in (("pages", 4), ("books", 5)) for n in range(k)
    )
    assert {line["text"] for line in lines} == set(HELD)


def test_pace_leaves_no_trace_in_the_bytes(upstream, tmp_path):
    fast = run(tokenise, TokeniseSection(), upstream, tmp_path / "fast")["web"]
    slow = run(tokenise, TokeniseSection(batch_documents=3), upstream, tmp_path / "slow")["web"]
    for file in sorted(fast.path.iterdir()):
        assert file.read_bytes() == (slow.path / file.name).read_bytes()


def test_corpus_without_training_documents_is_an_input_error(upstream, tmp_path):
    upstream["select"].append(selected(tmp_path / "select", "arxiv", "arxiv", {"heldout": HELD}))
    with pytest.raises(InputError, match="'arxiv' has no document to train on"):
        run(tokenise, TokeniseSection(), upstream, tmp_path / "work")


def test_processes_leave_no_trace_in_the_shards(upstream, tmp_path, monkeypatch):
    alone = run(tokenise, TokeniseSection(batch_documents=7), upstream, tmp_path / "alone")
    monkeypatch.setattr(tokenise, "LEAST_DOCUMENTS", 1)
    shared = run(tokenise, TokeniseSection(batch_documents=7, workers=2), upstream, tmp_path / "shared")
    for corpus, artefact in alone.items():
        assert shared[corpus].summary == artefact.summary
        for file in sorted(artefact.path.iterdir()):
            assert (shared[corpus].path / file.name).read_bytes() == file.read_bytes()
