"""fastText's classifier over a column of texts (Joulin et al. 2017, arXiv:1607.01759), its model given as arrays.

A text's vector is the mean of the rows of its words and of their character n-grams; a tree of yes-or-no questions
leads from it to a label (hierarchical softmax). fastText adds up hundreds of rows a line; here what a word adds is
worked out once for a column, for most words come again: eight times as fast, and equal but for the order of the sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.hash64 import hash_bytes
from hominis.corpus.kernels.sets import U64, slot_of
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts
from hominis.corpus.kernels.unicode import SMALL, UPPER, Tables, decode, tables

F32 = npt.NDArray[np.float32]
U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


class Identifier(NamedTuple):
    """A supervised model of fastText with a tree of labels.

    Attributes:
        words: slots with the hashes of the dictionary's words.
        ids: the row of the word in each slot.
        grams: the row of each bucket of n-grams; -1: none was kept.
        rows: f32, shape (rows, dim).
        longest: characters of the longest n-grams; the shortest have 2.
        output: f32, shape (labels, dim): a row an inner node.
        tree: children of the inner nodes, the root last; numbers below the number of labels are labels.
    """

    words: U64
    ids: I32
    grams: I32
    rows: F32
    longest: int
    output: F32
    tree: I32


class Word(NamedTuple):
    """A word byte by byte, extended by their signs, and the first bytes of its characters and of what follows it."""

    spelled: U32
    begins: Offsets


class Seen(NamedTuple):
    """Words by their hashes, the sums of their rows, and how many rows those are."""

    keys: U64
    sums: F32
    counts: I32


DIM, BUCKETS = 16, 2_000_000
"""Numbers in a vector and buckets of n-grams: those of lid.176, for compiled code likes constants."""

_SLOTS = 1 << 14
"""For words seen, of which half are used at most: a megabyte of sums."""

_NONE, _ONE = np.uint64(0), np.uint64(1)
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)
_SIGN = 0xFFFFFF00
_OPEN, _CLOSE = 0x3C, 0x3E
_END = np.frombuffer(b"</s>", np.uint8)
_LABEL = np.frombuffer(b"__label__", np.uint8)
_LITTLE = 1e-5  # what fastText adds to a probability before it takes its logarithm


def beginnings(texts: Texts, characters: int) -> tuple[Offsets, npt.NDArray[np.bool_]]:
    """Return where each text's first ``characters`` end, and whether they are in capitals.

    Those are: more than 0.8 of the Latin letters of more than 5 characters, or all letters there are.
    """
    ends, capital = np.empty(texts.number, np.int64), np.empty(texts.number, np.bool_)
    _begin(tables(), *texts, characters, ends, capital)
    return ends, capital


def identified(texts: Texts, ends: Offsets, model: Identifier) -> tuple[I32, F64]:
    """Return the likeliest label of each text up to where it ``ends``, and its probability."""
    labels, scores = np.empty(texts.number, np.int32), np.empty(texts.number, np.float64)
    room = 3 + int((ends - texts.offsets[:-1]).max(initial=0))
    word = Word(np.empty(room, np.uint32), np.empty(room, np.int64))
    sums = np.empty((_SLOTS, DIM), np.float32)
    seen = Seen(np.zeros(_SLOTS, np.uint64), sums, np.zeros(_SLOTS, np.int32))
    _identify(model, *texts, ends, word, seen, labels, scores)
    return labels, scores


@kernel
def _begin(
    tables: Tables, data: Bytes, offsets: Offsets, characters: int, ends: Offsets, capital: npt.NDArray[np.bool_]
) -> None:
    for text in range(ends.size):
        at, stop = offsets[text], offsets[text + 1]
        passed = upper = small = capitals = letters = 0
        while at < stop and passed < characters:
            byte = data[at]
            if byte < 0x80:
                is_capital, is_letter = 0x41 <= byte <= 0x5A, 0x41 <= byte & 0xDF <= 0x5A
                capitals += is_capital
                letters += is_letter
                at += 1
            else:
                point, at = decode(data, at)
                bits = tables.classes[point]
                upper += bits & UPPER != 0
                small += bits & SMALL != 0
            passed += 1
        whole = upper + capitals > 0 and small + letters - capitals == 0
        ends[text] = at
        capital[text] = whole or (capitals > 0.8 * letters and passed > 5)


@kernel
def _identify(
    model: Identifier, data: Bytes, offsets: Offsets, ends: Offsets, word: Word, seen: Seen, labels: I32, scores: F64
) -> None:
    total = np.empty(DIM, np.float32)
    chances = np.empty(2 * model.output.shape[0] - 1, np.float64)
    used = 0
    for text in range(ends.size):
        total[:] = model.rows[0]  # that of the end of a line, which every text has once: fastText reads no further
        number, at, end = 1, offsets[text], ends[text]
        while at < end:
            if _divides(data[at]):
                at += 1
                continue
            start = at
            while at < end and not _divides(data[at]):
                at += 1
            if at - start == _END.size and _begins(data, start, at, _END):
                break
            key = max(hash_bytes(data, start, at), _ONE)
            slot = slot_of(key, seen.keys, _SLOTS)
            if seen.keys[slot] == _NONE:
                if used == _SLOTS // 2:
                    seen.keys[:] = _NONE
                    used, slot = 0, slot_of(key, seen.keys, _SLOTS)
                used += 1
                seen.keys[slot] = key
                seen.counts[slot] = _add_up(model, data, start, at, key, word, seen.sums[slot])
            for k in range(DIM):
                total[k] += seen.sums[slot, k]
            number += seen.counts[slot]
        for k in range(DIM):
            total[k] /= np.float32(number)
        labels[text] = _decide(model, total, chances)
        scores[text] = chances[labels[text]]


@kernel
def _divides(byte: int) -> bool:
    """Return whether fastText takes a byte for white space."""
    return byte == 0x20 or 0x09 <= byte <= 0x0D or byte == 0


@kernel
def _begins(data: Bytes, start: int, end: int, with_: Bytes) -> bool:
    """Return whether ``data[start:end]`` begins with some bytes."""
    if end - start < with_.size:
        return False
    for k in range(with_.size):
        if data[start + k] != with_[k]:
            return False
    return True


@kernel
def _add_up(model: Identifier, data: Bytes, start: int, end: int, key: np.uint64, word: Word, total: F32) -> int:
    """Put the sum of the rows of a word and its n-grams into ``total``; return how many rows they are.

    An n-gram's bucket is its FNV-1a hash, of bytes that fastText extends by their signs.
    """
    total[:] = 0
    number = 0
    slot = slot_of(key, model.words, model.words.size)
    if model.words[slot] == key:
        row = model.ids[slot]
        total += model.rows[row]
        number = 1
    elif _begins(data, start, end, _LABEL):
        return 0
    characters = _spell(data, start, end, word)
    for first in range(characters):
        mixed = _OFFSET
        for last in range(first, min(first + model.longest, characters)):
            for place in range(word.begins[last], word.begins[last + 1]):
                mixed = np.uint32((mixed ^ word.spelled[place]) * _PRIME)
            row = model.grams[mixed % np.uint32(BUCKETS)] if last > first else -1
            if row >= 0:
                for k in range(DIM):
                    total[k] += model.rows[row, k]
                number += 1
    return number


@kernel
def _spell(data: Bytes, start: int, end: int, word: Word) -> int:
    """Spell ``<data[start:end]>``; return how many characters it has."""
    spelled, begins = word
    spelled[0], begins[0], characters = _OPEN, 0, 1
    for place in range(start, end):
        byte = data[place]
        if byte & 0xC0 != 0x80:
            begins[characters] = place - start + 1
            characters += 1
        spelled[place - start + 1] = byte | _SIGN if byte > 0x7F else byte
    size = end - start + 1
    spelled[size], begins[characters], begins[characters + 1] = _CLOSE, size, size + 1
    return characters + 1


@kernel
def _decide(model: Identifier, vector: F32, chances: F64) -> int:
    """Put the probability of each node of the tree into ``chances``; return the likeliest label."""
    size = model.output.shape[0]
    chances[2 * size - 2] = 1.0
    for inner in range(size - 2, -1, -1):
        product = np.float32(0)
        for k in range(DIM):
            product += model.output[inner, k] * vector[k]
        right = 1.0 / (1.0 + np.exp(-np.float64(product)))
        chances[model.tree[inner, 0]] = chances[size + inner] * (1.0 - right + _LITTLE)
        chances[model.tree[inner, 1]] = chances[size + inner] * (right + _LITTLE)
    return int(np.argmax(chances[:size]))
