"""Evaluation items in documents: found wherever their words are, however they are written."""

import re
import string
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.contamination import LEAST, RUN, Contamination
from hominis.corpus.kernels import ngrams
from hominis.corpus.kernels.ngrams import first_runs, runs_of
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import texts_of

ITEM = "What is the tallest of the bridges, counted in stones, that Anna built before her sister's wedding?"


def texts(*given):
    return pa.array(given, pa.large_string())


def touched(items, *given):
    found = Contamination([("task", str(number), text) for number, text in enumerate(items)]).touched(texts(*given))
    return found.rows()


def plainly(items, document):
    """The first item with a run of words of the document, by longer runs first, in plain Python."""

    def words(text):
        bare = text.translate(str.maketrans("", "", string.punctuation))
        return unicodedata.normalize("NFD", bare.lower()).split()

    known = {}
    for number, item in enumerate(map(words, items)):
        size = min(len(item), RUN)
        for place in range(len(item) - size + 1 if size >= LEAST else 0):
            known.setdefault(tuple(item[place : place + size]), number)
    own = words(document)
    for size in range(RUN, LEAST - 1, -1):
        for place in range(len(own) - size + 1):
            if (run := tuple(own[place : place + size])) in known:
                return str(known[run]), " ".join(run)
    return None


SENTENCES = st.lists(st.sampled_from(["a", "b", "The", "stone,", "è", "x" * 9]), max_size=40).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(SENTENCES, max_size=4), st.lists(SENTENCES, min_size=1, max_size=4))
def test_found_is_what_plain_python_finds(items, documents):
    found = {row: (item, words) for row, _, item, words in touched(items, *documents)}
    assert found == {n: plain for n, text in enumerate(documents) if (plain := plainly(items, text))}


def test_an_item_is_found_whatever_its_case_punctuation_and_line_breaks():
    written = "Q: " + re.sub(" ", "\n  ", ITEM.upper().replace(",", " ;")) + " Nobody knows."
    ((row, task, item, words),) = touched(["nothing of that kind " * 4, ITEM], "An innocent text.", written)
    assert (row, task, item) == (1, "task", "1")
    assert words == "what is the tallest of the bridges counted in stones that anna built"


@pytest.mark.parametrize("shared", [RUN - 1, RUN])
def test_thirteen_words_in_their_order_are_needed(shared):
    words = [f"word{n}" for n in range(30)]
    document = " ".join(["before", *words[5 : 5 + shared], "after"])
    assert bool(touched([" ".join(words)], document)) == (shared == RUN)
    assert not touched([" ".join(words)], " ".join(reversed(words)))


def test_an_item_of_fewer_words_is_sought_whole_and_a_very_short_one_is_counted():
    nine, seven = "how many stones does the old bridge have now", "who is the author of this book"
    sought = Contamination([("quiz", "nine", nine), ("quiz", "seven", seven), ("other", "empty", "")])
    assert sought.undecidable == {"quiz": 1, "other": 1} and sought.items == {"quiz": 2, "other": 1}
    found = sought.touched(texts(f"Tell me: {nine}?", f"Tell me: {nine[:-4]}", f"Tell me: {seven}?"))
    assert found.rows() == [(0, "quiz", "nine", nine)]


def test_of_two_items_with_the_same_words_the_first_is_named():
    assert [row[2] for row in touched([f"One. {ITEM}", f"Two. {ITEM}"], ITEM)] == ["0"]


def test_an_empty_batch_and_no_items_touch_nothing():
    assert touched([ITEM]) == [] == touched([], ITEM, "")


def test_equal_hashes_of_other_words_are_no_match_and_hide_none():
    """Of the sequence of Thue and Morse and its opposite, 2,048 words each, every polynomial modulo 2**64 is equal."""
    bits = [n.bit_count() % 2 for n in range(2048)]
    both = normalised(texts_of(texts(" ".join("ab"[bit] for bit in bits), " ".join("ba"[bit] for bit in bits))))
    sums = np.empty((2, 2049), np.uint64)
    for row, begin in enumerate(both.texts.offsets[:2]):
        ngrams._sum(both.texts.data, begin, both.texts.offsets[row + 1], sums[row])
    assert sums[0, -1] == sums[1, -1], "the hashes are equal"
    one = normalised(texts_of(texts(" ".join("ab"[bit] for bit in bits))))
    assert list(first_runs(runs_of(one.texts, np.diff(one.words), 2048, 1), both.texts) >= 0) == [True, False]
    runs = runs_of(both.texts, np.diff(both.words), 2048, 1)
    assert runs.texts[first_runs(runs, both.texts)].tolist() == [0, 1]
