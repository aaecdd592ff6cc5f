"""Signals equal RedPajama-v2's own, document by document, for real text and hand-made edge cases."""

import gzip
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.signals import signals

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")


def _lines(name):
    with gzip.open(GOLDEN / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def computed():
    documents = _lines("documents.json.gz")
    raw = texts_of(pl.Series([document["raw_content"] for document in documents], dtype=pl.String))
    languages = pa.array([document["language"] for document in documents])
    return pl.DataFrame(signals(raw, normalised(raw), languages))


@pytest.fixture(scope="module")
def expected():
    return [
        {name: spans[0][2] for name, spans in line["quality_signals"].items() if name.startswith("rps_doc_")}
        for line in _lines("signals.json.gz")
    ]


NAMES = [
    "word_count",
    "mean_word_length",
    "frac_unique_words",
    "unigram_entropy",
    "num_sentences",
    "symbol_to_word_ratio",
    "frac_lines_end_with_ellipsis",
    "frac_no_alph_words",
    "frac_all_caps_words",
    "curly_bracket",
    "lorem_ipsum",
    "stop_word_fraction",
    "ldnoobw_words",
    *(f"frac_chars_top_{size}gram" for size in (2, 3, 4)),
    *(f"frac_chars_dupe_{size}grams" for size in range(5, 11)),
]


@pytest.mark.parametrize("name", NAMES)
def test_signal_equals_the_reference(name, computed, expected):
    name = f"rps_doc_{name}"
    wrong = {
        row: (ours, theirs[name])
        for row, (ours, theirs) in enumerate(zip(computed[name], expected, strict=True))
        if not _same(ours, theirs[name])
    }
    assert not wrong


def test_every_signal_that_is_computed_is_compared(computed):
    assert {f"rps_doc_{name}" for name in NAMES} == {name for name in computed.columns if name.startswith("rps_")}


def _same(ours, theirs):
    return ours is theirs if None in (ours, theirs) else abs(ours - theirs) <= 1e-6
