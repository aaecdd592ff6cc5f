"""Lists of words and phrases, by their hashes, and how often they occur among the words of a text."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hominis.corpus.kernels.compiled import inlined, kernel
from hominis.corpus.kernels.hash64 import hash_bytes
from hominis.corpus.kernels.sets import U64, holds
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts

_NONE, _ONE, _HALF = np.uint64(0), np.uint64(1), np.uint64(32)
_MIX = np.uint64(0xFF51AFD7ED558CCD)


class Phrases(NamedTuple):
    """Lists of phrases, to be found among words.

    Attributes:
        openings: hashes of the first words, a row a list, as ``sets.table_of`` lays them out.
        whole: hashes of whole phrases (``phrase_hashes``), likewise.
        sizes: bit n of a list's number: there is a phrase of n words in it; shape (lists,).
    """

    openings: U64
    whole: U64
    sizes: U64


def phrase_hashes(phrases: Texts) -> tuple[U64, U64, Offsets]:
    """Return of each phrase (words joined by single spaces) the hash, that of its first word, and its words' number."""
    whole, openings = np.empty(phrases.number, np.uint64), np.empty(phrases.number, np.uint64)
    words = np.empty(phrases.number, np.int64)
    _hash_phrases(*phrases, whole, openings, words)
    return whole, openings, words


@kernel
def _hash_phrases(data: Bytes, offsets: Offsets, whole: U64, openings: U64, words: Offsets) -> None:
    for phrase in range(offsets.size - 1):
        begin, count, key = offsets[phrase], 0, _NONE
        for at in range(offsets[phrase], offsets[phrase + 1] + 1):
            if at == offsets[phrase + 1] or data[at] == 0x20:
                word = hash_bytes(data, begin, at)
                if count == 0:
                    openings[phrase] = word
                key = _joined(key, word)
                count += 1
                begin = at + 1
        whole[phrase], words[phrase] = key, count


@inlined
def _joined(key: Any, word: Any) -> Any:
    mixed = (key ^ word) * _MIX
    return mixed ^ (mixed >> _HALF)


@kernel
def phrases_in(hashes: U64, row: int, phrases: Phrases) -> int:
    """Return how many runs of words are a phrase of the list."""
    found, openings, whole = 0, phrases.openings[row], phrases.whole[row]
    for first in range(hashes.size):
        if not holds(openings, hashes[first]):
            continue
        key, left = _NONE, phrases.sizes[row] >> _ONE
        for word in range(first, hashes.size):
            key = _joined(key, hashes[word])
            if left & _ONE:
                found += holds(whole, key)
            left >>= _ONE
            if left == _NONE:
                break
    return found
