"""Signals against a plain reading of their definitions, document by document, in Python."""

import re
import string
import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.language import languages
from hominis.corpus.repetition import MAX_DOCUMENTS, vocabulary
from hominis.corpus.shape import shape
from hominis.corpus.signals import normalise, signals
from hominis.corpus.words import Words

PIECES = [
    "a ",
    "the ",
    "Bb ",
    "C3P0",
    "é",
    "È",
    "...",
    "…",
    ".",
    "?",
    "{",
    "}",
    "#",
    "\n",
    " \t",
    "\x1c",
    "_",
    "ª",
    "Ⓐ",
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), min_size=1, max_size=5)


def measured(texts):
    column = pl.Series(texts, dtype=pl.String)
    normalised = normalise(column)
    rows = signals(column, normalised, Words(normalised)).to_dicts()
    return [{name.removeprefix("rps_doc_"): value for name, value in row.items()} for row in rows]


def plain_words(text):
    bare = text.translate(str.maketrans("", "", string.punctuation)).lower()
    return unicodedata.normalize("NFD", " ".join(bare.split())).split(" ") if bare.split() else []


def plain_top(words, size):
    grams = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    counts = Counter(grams)
    best = max(grams, key=lambda gram: counts[gram], default=None)
    if best is None or counts[best] < 2:
        return 0.0
    return sum(map(len, best)) * counts[best] / sum(map(len, words))


def plain_duplicated(words, size):
    grams = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    counts = Counter(grams)
    inside = {i + j for i, gram in enumerate(grams) if counts[gram] > 1 for j in range(size)}
    return sum(len(words[i]) for i in inside) / max(sum(map(len, words)), 1)


@settings(deadline=None)
@given(TEXTS)
def test_word_signals_are_those_of_their_definitions(texts):
    for text, row in zip(texts, measured(texts), strict=True):
        words = plain_words(text)
        assert row["word_count"] == len(words)
        if words:
            assert row["mean_word_length"] == pytest.approx(sum(map(len, words)) / len(words), abs=1e-8)
            assert row["frac_unique_words"] == pytest.approx(len(set(words)) / len(words), abs=1e-8)
        else:
            assert row["mean_word_length"] is row["frac_unique_words"] is row["unigram_entropy"] is None
        for size in (2, 3, 4):
            assert row[f"frac_chars_top_{size}gram"] == pytest.approx(plain_top(words, size), abs=1e-8)
        for size in range(5, 11):
            assert row[f"frac_chars_dupe_{size}grams"] == pytest.approx(plain_duplicated(words, size), abs=1e-8)


@settings(deadline=None)
@given(TEXTS)
def test_token_and_line_signals_are_those_of_their_definitions(texts):
    for text, row in zip(texts, measured(texts), strict=True):
        tokens = re.findall(r"\w+|[^\w\s]+", text)
        lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
        ends = [line.rstrip().endswith(("...", "…")) for line in lines]
        sentences = [run for run in re.split(r"[.!?]", text) if re.search(r"\w", run)]
        assert row["num_sentences"] == len(sentences)
        assert row["curly_bracket"] == pytest.approx(len(re.findall("[{}]", text)) / max(len(text), 1), abs=1e-8)
        assert row["frac_lines_end_with_ellipsis"] == (pytest.approx(sum(ends) / len(ends)) if ends else None)
        if tokens:
            capitals = sum(token.isupper() for token in tokens)
            letters = sum(bool(re.search("[a-zA-Z]", token)) for token in tokens)
            symbols = text.count("#") + text.count("...") + text.count("…")
            assert row["frac_all_caps_words"] == pytest.approx(capitals / len(tokens))
            assert row["frac_no_alph_words"] == pytest.approx(1 - letters / len(tokens), abs=1e-8)
            assert row["symbol_to_word_ratio"] == pytest.approx(symbols / len(tokens))


@settings(deadline=None)
@given(TEXTS)
def test_signals_do_not_depend_on_the_other_documents(texts):
    assert measured(texts) == [row for text in texts for row in measured([text])]


def test_column_too_long_for_the_keys_is_refused():
    with pytest.raises(ValueError, match="at most"):
        vocabulary(Words(pl.Series(["a"] * (MAX_DOCUMENTS + 1))))


def test_shape_of_lines():
    rows = shape(pl.Series(["ab\n\ncdéf", "", "  \n12"])).to_dicts()
    assert [row["line_length_max"] for row in rows] == [4, 0, 2]
    assert [row["line_length_mean"] for row in rows] == [2.0, 0.0, 2.0]
    assert rows[0]["alphanumeric_fraction"] == pytest.approx(6 / 8)
    assert rows[2]["alphanumeric_fraction"] == pytest.approx(2 / 5)


def test_languages_are_told_apart_and_scores_are_probabilities():
    texts = ["The river runs down from the hills.", "Il fiume scende dalle colline.\nCosì pare.", "", "\x00 12"]
    found = languages(texts)
    assert found["language"].to_list()[:2] == ["en", "it"]
    assert found["language_score"].is_between(0, 1).all()
    assert found.equals(languages(texts))
