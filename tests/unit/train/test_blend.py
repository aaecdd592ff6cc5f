"""Shares by corpus: what is at hand is used, what isn't is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from hominis.errors import InputError
from hominis.store.types import Artefact
from hominis.train.blend import blend_sources
from tests.unit.train.conftest import artefact


def corpus(name: str, train: int = 1000, heldout: int = 1000) -> Artefact:
    counts = {"corpus": name, "train": {"tokens": train}, "heldout": {"tokens": heldout}}
    return artefact(Path("/store") / name, "tokenise", name, counts)


def test_shares_are_used_as_given() -> None:
    sources, said = blend_sources({"web": 0.7, "code": 0.3}, [corpus("web"), corpus("code")], 32)
    assert [(source.corpus, source.share) for source in sources] == [("code", 0.3), ("web", 0.7)]
    assert said == {"shares": {"code": 0.3, "web": 0.7}, "dropped": []}


def test_an_absent_corpus_is_dropped_and_the_others_grow_in_proportion() -> None:
    _, said = blend_sources({"web": 0.6, "code": 0.2, "italian": 0.2}, [corpus("web"), corpus("code")], 32)
    assert said["dropped"] == ["italian"]
    assert said["shares"] == {"code": pytest.approx(0.25), "web": pytest.approx(0.75)}


def test_an_empty_corpus_counts_as_absent() -> None:
    _, said = blend_sources({"web": 0.5, "code": 0.5}, [corpus("web"), corpus("code", train=0)], 32)
    assert said == {"shares": {"web": 1.0}, "dropped": ["code"]}


def test_a_share_of_zero_leaves_a_corpus_out_without_a_word() -> None:
    _, said = blend_sources({"web": 1.0, "code": 0.0}, [corpus("web"), corpus("code")], 32)
    assert said == {"shares": {"web": 1.0}, "dropped": []}


def test_a_blend_of_absent_corpora_is_refused() -> None:
    with pytest.raises(InputError, match="none of the blend's corpora"):
        blend_sources({"italian": 1.0}, [corpus("web")], 32)


def test_a_corpus_shorter_than_a_sample_is_refused() -> None:
    with pytest.raises(InputError, match="has 32 tokens"):
        blend_sources({"web": 1.0}, [corpus("web", train=32)], 32)


def test_heldout_text_shorter_than_a_sample_is_left_out() -> None:
    sources, _ = blend_sources({"web": 1.0}, [corpus("web", heldout=32)], 32)
    assert sources[0].heldout == ""
