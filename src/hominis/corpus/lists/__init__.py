"""Word lists, published elsewhere (their sources and licences: README.md), as kernels look words up."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hominis.corpus.kernels.phrases import Phrases, phrase_hashes
from hominis.corpus.kernels.sets import U64, table_of
from hominis.corpus.kernels.texts import texts_of

LANGUAGES = ("en", "it", "de", "fr", "es")
"""ISO 639-1 codes of the languages that have lists; a list's row is its language's place here."""


class Lists(NamedTuple):
    """The lists of all ``LANGUAGES``.

    Attributes:
        stop: hashes of stop words, a row a language.
        longest: bytes of the longest stop word.
        bad: words and phrases that nobody wants to read.
    """

    stop: U64
    longest: int
    bad: Phrases


@cache
def lists() -> Lists:
    """Return the lists, read once in a process."""
    stop = [_entries("stop", language) for language in LANGUAGES]
    bad = [phrase_hashes(texts_of(pa.array(_entries("bad", language)))) for language in LANGUAGES]
    return Lists(
        table_of([phrase_hashes(texts_of(pa.array(words)))[1] for words in stop]),
        max(len(word.encode()) for words in stop for word in words),
        Phrases(
            table_of([openings for _, openings, _ in bad]),
            table_of([whole for whole, _, _ in bad]),
            np.array([np.bitwise_or.reduce(1 << words) for _, _, words in bad], np.uint64),
        ),
    )


def rows_of(languages: pa.Array) -> npt.NDArray[np.int32]:
    """Return the row of each document's language in the lists; -1: it has none."""
    rows = {language: row for row, language in enumerate(LANGUAGES)}
    return np.array([rows.get(language, -1) for language in languages.to_pylist()], np.int32)


def _entries(kind: str, language: str) -> list[str]:
    text = resources.files(__package__).joinpath(kind, f"{language}.txt").read_text(encoding="utf-8")
    return [entry.strip() for entry in text.split("\n") if entry.strip()]
