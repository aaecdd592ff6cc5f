"""Shares by corpus: what is at hand is used, what isn't is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs
from hominis.train.blend import blend_sources, check_epochs, check_vocabulary, epochs, worn
from tests.unit.train.conftest import Folder, artefact, section, train


def vocabulary(size: int) -> Artefact:
    return artefact(Path("/store/vocabulary"), "vocabulary", "all", {"vocab_size": size})


def corpus(name: str, train: int = 1000, heldout: int = 1000, made_with: Artefact | None = None) -> Artefact:
    made_with = made_with or vocabulary(300)
    size = made_with.summary["vocab_size"]
    counts = {"corpus": name, "vocab_size": size, "train": {"tokens": train}, "heldout": {"tokens": heldout}}
    return artefact(Path("/store") / name, "tokenise", name, counts, made_with)


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


def test_a_run_sees_each_corpus_as_often_as_its_share_asks() -> None:
    run = section(blend={"web": 0.75, "code": 0.25}, steps=10, epochs=1.0)  # 80 samples of 32 tokens
    assert epochs(run, {"web": 3840, "code": 640, "other": 1}) == {"code": 1.0, "web": 0.5}


def test_a_blend_shorter_than_the_run_is_refused_with_the_numbers_and_what_would_do() -> None:
    run = section(blend={"web": 0.75, "code": 0.25}, steps=10, epochs=1.0)
    with pytest.raises(InputError, match="web is to give 1,920 tokens, has 1,000\n") as caught:
        check_epochs(run, {"web": 1000, "code": 10_000})
    assert "pretrain.epochs to 1.92, or pretrain.steps to 5, or the share of web to 0.3906" in caught.value.remedy


@given(st.integers(40, 100_000), st.integers(40, 100_000), st.floats(0.01, 0.99), st.floats(0.5, 5))
def test_what_the_refusal_advises_does(web: int, code: int, share: float, times: float) -> None:
    run = section(blend={"web": share, "code": 1 - share}, epochs=times, steps=200)
    tokens = {"web": web, "code": code}
    try:
        check_epochs(run, tokens)
    except InputError as error:
        (enough, steps) = re.findall(r"epochs to ([\d.e+]+), or pretrain.steps to (\d+)", error.remedy)[0]
        check_epochs(run.model_copy(update={"epochs": float(enough)}), tokens)
        if int(steps):
            check_epochs(run.model_copy(update={"steps": int(steps)}), tokens)
        with pytest.raises(InputError):
            check_epochs(run.model_copy(update={"steps": int(steps) + 1}), tokens)


def test_text_that_is_seen_more_than_four_times_is_named() -> None:
    assert worn({"web": 4.0, "code": 0.5}) == ""
    assert worn({"web": 4.01, "code": 0.5, "italian": 12.345}).endswith(": web 4.01 times, italian 12.3 times")


def test_a_ramped_run_wants_less() -> None:
    ramp = {"start": 2, "increment": 2, "steps": 10}
    assert epochs(section(blend={"web": 1.0}, steps=10, batch_ramp=ramp), {"web": 1000})["web"] < 1.6


def test_a_corpus_of_another_vocabulary_is_refused_with_both() -> None:
    ours, other = vocabulary(500), vocabulary(700)
    check_vocabulary([corpus("web", made_with=ours)], ours)
    with pytest.raises(InputError, match=r"corpus web .* [0-9a-f]{12} of 700 tokens; .* [0-9a-f]{12} of 500"):
        check_vocabulary([corpus("code", made_with=ours), corpus("web", made_with=other)], ours)


def test_training_does_not_start_on_too_little_text(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the blend is shorter than the run of 12 steps"):
        train(section(epochs=0.01), inputs, Folder(tmp_path))


def test_training_does_not_start_on_text_of_another_vocabulary(inputs: Inputs, tmp_path: Path) -> None:
    other = Artefact(inputs["vocabulary"][0].path, vocabulary(301).receipt)
    with pytest.raises(InputError, match="was tokenised with vocabulary"):
        train(section(), {**inputs, "vocabulary": [other]}, Folder(tmp_path))


def test_training_on_text_seen_too_often_says_so_at_its_start(inputs: Inputs, tmp_path: Path) -> None:
    folder, nowhere = Folder(tmp_path), Artefact(tmp_path, inputs["vocabulary"][0].receipt)
    with pytest.raises(InputError):
        train(section(steps=50_000, epochs=10_000), {**inputs, "vocabulary": [nowhere]}, folder)
    assert re.search(r": code 50\.\d times, web 64\.\d times$", folder.warnings[0])
