import json
import random

import pytest

from hominis.config.evaluate import NgramSection
from hominis.errors import InputError
from hominis.evaluate import ngram
from tests.unit.corpus.selected import artefact, run, selected

WORDS = ["the", "model", "reads", "a", "page", "and", "counts", "every", "byte", "that", "follows", "one", "in", "its"]


def prose(seed, documents):
    draws = random.Random(seed)
    return [" ".join(draws.choices(WORDS, k=80)) + ".\n" for _ in range(documents)]


def tokenised(root, corpus, held, train_bytes):
    path = root / corpus
    path.mkdir(parents=True)
    lines = [
        json.dumps({"id": f"{corpus}/{n}", "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(held)
    ]
    (path / "heldout.jsonl").write_text("".join(lines), encoding="utf-8")
    return artefact(path, "tokenise", corpus, {"corpus": corpus, "train": {"bytes": train_bytes}})


@pytest.fixture
def upstream(tmp_path):
    code = [f"def f{n}(x):\n    return x + {n}\n" for n in range(200)]
    return {
        "select": [
            selected(tmp_path / "select", "pages", "web", {"train": prose(1, 60), "heldout": prose(2, 5)}),
            selected(tmp_path / "select", "gitea", "code", {"train": code}),
        ],
        "tokenise": [
            tokenised(tmp_path / "tokenise", "code", ["def g(y):\n    return y + 3  # schön\u2028é\n"], 6_000),
            tokenised(tmp_path / "tokenise", "web", prose(2, 5), 30_000),
            tokenised(tmp_path / "tokenise", "arxiv", [], 10),
        ],
    }


def measured(upstream, root, **settings):
    return run(ngram, NgramSection(**settings), upstream, root)["all"]


def test_corpora_and_their_union_are_measured(upstream, tmp_path):
    summary = measured(upstream, tmp_path / "work").summary
    assert list(summary["corpora"]) == ["code", "web"]
    web = summary["corpora"]["web"]
    assert web["bytes"] == sum(map(len, prose(2, 5)))
    assert 0 < web["order3"] < web["order2"] < web["order1"] < 5
    total = sum(figures["order2"] * figures["bytes"] for figures in summary["corpora"].values())
    assert summary["all"]["order2"] == pytest.approx(total / summary["all"]["bytes"], abs=1e-5)
    assert summary["all"]["bytes"] == sum(figures["bytes"] for figures in summary["corpora"].values())


def test_heldout_text_of_select_is_not_learnt_from(upstream, tmp_path):
    before = measured(upstream, tmp_path / "before").summary
    upstream["select"][0] = selected(tmp_path / "other", "pages", "web", {"train": prose(1, 60)})
    assert measured(upstream, tmp_path / "after").summary == before


def test_batches_leave_no_trace_in_the_file(upstream, tmp_path):
    whole = measured(upstream, tmp_path / "whole")
    small = measured(upstream, tmp_path / "small", batch_bytes=1_000)
    assert (whole.path / "ngram.json").read_bytes() == (small.path / "ngram.json").read_bytes()
    assert json.loads((whole.path / "ngram.json").read_text()) == whole.summary


def test_nothing_held_out_is_an_input_error(upstream, tmp_path):
    upstream["tokenise"] = upstream["tokenise"][2:]
    with pytest.raises(InputError, match="held-out text"):
        measured(upstream, tmp_path / "work")


def test_nothing_to_learn_from_is_an_input_error(upstream, tmp_path):
    upstream["select"] = [selected(tmp_path / "other", "pages", "web", {"heldout": ["text"]})]
    with pytest.raises(InputError, match="0 bytes"):
        measured(upstream, tmp_path / "work")
