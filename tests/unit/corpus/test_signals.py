"""Signals against a plain reading of their definitions, document by document, in Python."""

import unicodedata

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hominis.corpus.kernels.lines import scan_lines
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import arrow_of, texts_of
from hominis.corpus.language import languages
from hominis.corpus.lists import LANGUAGES, _entries
from hominis.corpus.signals import rounded, signals
from tests.unit.corpus import plain_signals

PIECES = [
    *("a ", "the ", "Bb ", "C3P0", "é", "È", "ª", "Ⓐ", "ǅ", "_", "and", "to be "),
    *("...", "…", ".", "?", "!", '"', "”", "{", "}", "#", "-", "*", "•", "–", "'", "½", "Ⅷ", "一"),
    *("\n", "\n\n", " \t", "\x1c", "\x85", "\u2028", "\u3000", "\u200b", "\0", "\x7f"),
    *("Σ", "ΑΣ", "ς", "İ", "ı", "K", "ẞ", "각", "가", "ﬁ", "\u1ffe", "\u037e", "\u2260", "ſ"),
    *("\u0301", "\u0316", "\u0345", "\u0323\u0307", "𝔄", "😀", "\U0001d15e", "\u00ad", "\u02b0"),
    *("lorem ipsum ", "Lorem\n", "Ipsum", "ıpſum ", "javascript ", "JavaScript\n", "anal", "balls deep ", "due"),
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.lists(st.sampled_from(["a", "b", "cc", "é"]), max_size=60).map(" ".join),
    st.text(max_size=60),
)
COLUMNS = st.lists(TEXTS, min_size=1, max_size=5)


def measured(texts, language="en"):
    raw = texts_of(pl.Series(texts, dtype=pl.String))
    normal = normalised(raw)
    found = signals(raw, normal, scan_lines(raw, normal.lines), pa.array([language] * len(texts)))
    return pl.DataFrame(found).to_dicts()


@settings(deadline=None, max_examples=60)
@given(COLUMNS)
def test_normalised_texts_are_those_of_their_definition(texts):
    found = arrow_of(normalised(texts_of(pl.Series(texts, dtype=pl.String))).texts).to_pylist()
    assert found == [plain_signals.normalised(text) for text in texts]


def test_every_code_point_is_normalised_as_python_does_it_alone_and_among_letters():
    points = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    rows = ["".join(points[begin : begin + 512]) for begin in range(0, len(points), 512)]
    texts = [*rows, *("aΣ".join(row) for row in rows)]
    found = arrow_of(normalised(texts_of(pl.Series(texts))).texts).to_pylist()
    wrong = [text for text, ours in zip(texts, found, strict=True) if ours != plain_signals.normalised(text)]
    assert not wrong


def test_marks_out_of_order_are_sorted_however_many_they_are():
    marks = "\u0301\u0316\u0323\u0307\u0345" * 50_000
    found = arrow_of(normalised(texts_of(pl.Series([f"a{marks}.{marks} b"]))).texts).to_pylist()
    assert found == [f"a{''.join(sorted(2 * marks, key=unicodedata.combining))} b"]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None, max_examples=30)
@given(COLUMNS)
@example(["", "\n", "\n\n\n", " ", "a", "\0", "a a a a", "..  .", ". .. ... ....\n", "A\u0345Σ", "Σ", "x" * 40])
@example(["ΑΣ.Σ'Σ", "\u0345Σ\u0301Σ", "one two three four five six " * 3, "lorem ipsum ıpſum lorem ipſum"])
@example(["a\n\nb\n \n\na\n\n\n a \n\n", "•a\n*b\n-c\n—d\n 1", "JavaScript javascript\njavascripts\njava-script"])
def test_document_signals_are_those_of_their_definitions(language, texts):
    stop, bad = set(_entries("stop", language)), set(_entries("bad", language))
    for text, row in zip(texts, measured(texts, language), strict=True):
        assert row == plain_signals.document_signals(text, stop, bad)


def test_phrases_of_a_list_are_found_across_lines_and_only_as_they_are_written():
    first, phrase = "anal", "alabama hot pocket"
    texts = [f"{first} {first}", phrase.replace(" ", "\n"), f"{phrase}s", phrase.upper(), f"x{first}", "alabama hot"]
    assert [row["rps_doc_ldnoobw_words"] for row in measured(texts)] == [2.0, 1.0, 0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stop_word_holds_a_word_character_for_other_tokens_are_not_looked_up(language):
    assert all(any(c.isalnum() for c in word) for word in _entries("stop", language))


def test_signals_of_lists_are_null_where_a_language_has_none():
    (row,) = measured(["the fuck"], "xx")
    assert row["rps_doc_stop_word_fraction"] is row["rps_doc_ldnoobw_words"] is None
    assert measured([]) == []


@settings(deadline=None, max_examples=20)
@given(COLUMNS)
def test_signals_do_not_depend_on_the_other_documents(texts):
    assert measured(texts) == [row for text in texts for row in measured([text])]


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(-1e9, 1e9), st.integers(0, 10**12).map(lambda n: (n + 0.5) / 1e8)), min_size=1))
@example([801 / 2560, 12803 / 12800, 0.000000005, -0.0, 2.5e-8])
def test_rounding_is_python_s(values):
    assert rounded(np.array(values)).tolist() == [round(value, 8) for value in values]


def test_texts_are_taken_from_any_column_and_given_back():
    columns = [
        pl.Series(["a", None, "bé"]),
        pa.array(["x", "yy", "", "z"])[1:3],
        pa.chunked_array([["a"], ["b"]]),
        pa.array([], pa.large_string()),
    ]
    assert [arrow_of(texts_of(column)).to_pylist() for column in columns] == [
        ["a", "", "bé"],
        ["yy", ""],
        ["a", "b"],
        [],
    ]


def test_languages_are_told_apart_and_scores_are_probabilities():
    texts = ["The river runs down from the hills.", "Il fiume scende dalle colline.\nCosì pare.", "", "\x00 12"]
    found = languages(pl.Series(texts), 1000)
    assert found["language"].to_list()[:2] == ["en", "it"]
    assert found["language_score"].is_between(0, 1).all()
    assert found.equals(languages(pl.Series(texts), 1000))
