"""Counts over the words of normalised texts: distinct ones, those on lists, and what repeats (Rae et al. 2021)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hominis.corpus.kernels.compiled import inlined, kernel
from hominis.corpus.kernels.hash64 import few, hash_bytes, hash_few
from hominis.corpus.kernels.machine import load64, trailing_zeros
from hominis.corpus.kernels.normalise import Normalised
from hominis.corpus.kernels.phrases import Phrases, phrase_hashes, phrases_in
from hominis.corpus.kernels.repetition import DUPLICATE_SIZES, TOP_SIZES, Room, repetition
from hominis.corpus.kernels.sets import U64, slot_of, slots_for
from hominis.corpus.kernels.texts import Bytes, Offsets, texts_of

COUNTS = (
    "word_characters",
    "distinct",
    "lorem_ipsum",
    "lorem_ipsum_literally",
    "bad_words",
    "required",
    "javascript_lines",
    *(f"in_top_{size}gram" for size in TOP_SIZES),
    *(f"in_duplicate_{size}grams" for size in DUPLICATE_SIZES),
)
"""Columns of what ``count_words`` returns, all of them whole numbers."""

REQUIRED = ("the", "be", "to", "of", "and", "that", "have", "with")
"""A document of Gopher's has at least two of these."""

_CHARACTERS, _DISTINCT, _LOREM_IPSUM, _LITERALLY, _BAD, _REQUIRED, _JAVASCRIPT, _FIRST_GRAM = range(8)

_LOREM, _FIVE_BYTES = np.uint64(int.from_bytes(b"lorem", "little")), np.uint64(2**40 - 1)
_IPSUM = np.frombuffer(b"ipsum", np.uint8)
_NONE, _ONE = np.uint64(0), np.uint64(1)
_SIX, _SEVEN, _LAST_BYTE = np.uint64(6), np.uint64(7), np.uint64(56)
_ONES, _HIGHS, _SPACES = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080), np.uint64(0x2020202020202020)

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


def count_words(normal: Normalised, lists: I32, phrases: Phrases) -> tuple[dict[str, Offsets], F64]:
    """Return ``COUNTS`` of each normalised text, and the entropy of its words in nats.

    Args:
        lists: by text, the row of ``phrases`` to look into; -1: none, and the count is 0.
    """
    texts = normal.texts
    counts, entropy = np.zeros((texts.number, len(COUNTS)), np.int64), np.zeros(texts.number)
    most = int(np.diff(normal.words).max(initial=0)) + 1
    slots = slots_for(most)
    room = Room(
        *(np.empty(most, np.uint64), np.empty(most, np.int32), np.empty(most, np.int64)),
        *(np.empty(most, np.int32), np.empty(most, np.int32)),
        *(np.empty(slots, np.uint64), np.empty(slots, np.int32)),
    )
    _count(normal, lists, phrases, _known(), room, counts, entropy)
    return dict(zip(COUNTS, counts.T, strict=True)), entropy


@cache
def _known() -> U64:
    return phrase_hashes(texts_of(pa.array([*REQUIRED, "javascript"])))[1]


@kernel
def _count(
    normal: Normalised, lists: I32, phrases: Phrases, known: U64, room: Room, counts: Offsets, entropy: F64
) -> None:
    data, offsets = normal.texts.data, normal.texts.offsets
    for text in range(offsets.size - 1):
        before, count = normal.words[text], normal.words[text + 1] - normal.words[text]
        if count == 0:
            continue
        out = counts[text]
        slots = slots_for(count)
        distinct, lorem = _split(data, offsets[text], offsets[text + 1], count, slots, room)
        out[_CHARACTERS], out[_DISTINCT] = room.sums[count], distinct
        entropy[text] = _entropy(room.counts, room.live[:distinct], count)
        for word in known[:-1]:
            out[_REQUIRED] += room.keys[slot_of(word, room.keys, slots)] == word
        javascript = slot_of(known[-1], room.keys, slots)
        if lorem:
            out[_LOREM_IPSUM], out[_LITERALLY] = _lorem_ipsum(data, offsets[text], offsets[text + 1])
        if lists[text] >= 0:
            out[_BAD] = phrases_in(room.hashes[:count], lists[text], phrases)
        if room.keys[javascript] == known[-1]:
            ends = normal.line_words[normal.lines[text] : normal.lines[text + 1]] - before
            out[_JAVASCRIPT] = _lines_with(javascript, room.ids[:count], ends)
        repetition(count, room, out[_FIRST_GRAM:])


@kernel
def _split(data: Bytes, start: int, end: int, count: int, slots: int, room: Room) -> tuple[int, bool]:
    """Count each of a text's words in its slot of the table, which is its number, and sum up their lengths.

    ``room.live`` has the numbers in their order of appearance. Almost every branch is one that goes the same way for
    most words, for the processor guesses wrong at the others.

    Returns:
        How many words differ, and whether one ends with ``lorem``.
    """
    hashes, ids, sums, order, keys, counts = room.hashes, room.ids, room.sums, room.live, room.keys, room.counts
    keys[:slots] = _NONE
    distinct, lorem, begin = 0, False, start
    sums[0] = 0
    for word in range(count):
        eight = load64(data, begin) if begin + 8 <= data.size else few(data, begin, data.size)
        other = eight ^ _SPACES
        length = min(trailing_zeros((other - _ONES) & ~other & _HIGHS) >> 3, end - begin)
        if length < 8:
            key = hash_few(eight & ((_ONE << np.uint64(8 * length)) - _ONE), length)
            at = begin + length
        else:
            at = _word_end(data, begin + 8, end)
            key = hash_bytes(data, begin, at)
        key = max(key, _ONE)
        slot = slot_of(key, keys, slots)
        new = keys[slot] != key
        keys[slot], counts[slot] = key, 1 if new else counts[slot] + 1
        order[distinct] = slot
        distinct += new
        hashes[word], ids[word] = key, slot
        sums[word + 1] = sums[word] + _characters(data, begin, at)
        if at + 3 <= data.size and at >= 5:
            lorem |= load64(data, at - 5) & _FIVE_BYTES == _LOREM
        else:
            lorem |= at - begin >= 5
        begin = at + 1
    return distinct, lorem


@kernel
def _lorem_ipsum(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """Return how often ``lorem ipsum`` occurs: case aside, and literally."""
    found = literally = 0
    for at in range(start + 5, end):
        if data[at] == 0x20 and few(data, at - 5, at) == _LOREM:
            likeness = _opens_with_ipsum(data, at + 1, end)
            found += likeness > 0
            literally += likeness > 1
    return found, literally


@inlined
def _word_end(data: Bytes, at: int, end: int) -> int:
    """Return where the next space is, or ``end``; 8 bytes are looked at in one (Warren 2012, section 6-1)."""
    while at + 8 <= data.size:
        other = load64(data, at) ^ _SPACES
        length = trailing_zeros((other - _ONES) & ~other & _HIGHS) >> 3
        at += length
        if length < 8 or at >= end:
            return min(at, end)
    while at < end and data[at] != 0x20:
        at += 1
    return at


@inlined
def _characters(data: Bytes, start: int, end: int) -> np.int64:
    """Return the code points in a range of bytes: those bytes that don't continue one."""
    more = np.int64(end - start)
    while start < end:
        stop = min(start + 7, end)
        eight = few(data, start, stop)
        more -= np.int64((((eight >> _SEVEN) & ~(eight >> _SIX) & _ONES) * _ONES) >> _LAST_BYTE)
        start = stop
    return more


@kernel
def _opens_with_ipsum(data: Bytes, at: int, end: int) -> int:
    """Return 2 where a word begins with ``ipsum``, 1 where case aside it does (dotless i, long s), or 0."""
    likeness = 2
    for letter in range(_IPSUM.size):
        if at < end and data[at] == _IPSUM[letter]:
            at += 1
        elif at + 1 < end and (
            (letter == 0 and data[at] == 0xC4 and data[at + 1] == 0xB1)
            or (letter == 2 and data[at] == 0xC5 and data[at + 1] == 0xBF)
        ):
            at += 2
            likeness = 1
        else:
            return 0
    return likeness


@kernel
def _entropy(counts: I32, order: I32, total: int) -> float:
    entropy, once = 0.0, _term(1, total)  # most words occur once
    for number in order:
        entropy += once if counts[number] == 1 else _term(counts[number], total)
    return entropy


@kernel
def _term(count: int, total: int) -> float:
    share = count / total
    return -share * math.log(share)


@kernel
def _lines_with(wanted: int, ids: I32, ends: Offsets) -> int:
    """Return how many lines, of which each ends before a word, hold a word."""
    found = begin = 0
    for end in ends:
        found += (ids[begin:end] == wanted).any()
        begin = end
    return found
