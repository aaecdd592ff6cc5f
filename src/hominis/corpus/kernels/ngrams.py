"""Runs of words of some texts, sought in others: found by a rolled hash, held equal only if their words are.

A run of words is the polynomial of its words' hashes, as in ``hash64``; here it is the difference of those of two
beginnings of the text, so that runs of several lengths cost one hashing of the words.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.hash64 import BASE, U64, hash_words
from hominis.corpus.kernels.sets import slot_of, slots_for
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts

_ONE, _NONE = np.uint64(1), np.uint64(0)
_SPACE = 0x20


class Runs(NamedTuple):
    """A set of runs of words.

    Attributes:
        data: UTF-8 that holds their words.
        sizes: the numbers of words that they have: the longest first.
        keys: u64, shape (slots,), a power of two: the hash of the run in a slot, or 0.
        begins, ends: i64, shape (slots,): where in ``data`` the run in a slot lies.
        texts: i64, shape (slots,): the first text that has the run.
    """

    data: Bytes
    sizes: Offsets
    keys: U64
    begins: Offsets
    ends: Offsets
    texts: Offsets


def runs_of(texts: Texts, words: Offsets, size: int, least: int) -> Runs:
    """Return all runs of ``size`` words; a text of fewer is one run, if it has at least ``least``.

    Args:
        texts: words joined by one space.
        words: how many each text has: shape (texts,).
    """
    length = np.where(words >= least, np.minimum(words, size), 0)
    number = int(np.where(length > 0, words - length + 1, 0).sum())
    sizes = np.unique(length[length > 0])[::-1].astype(np.int64)
    slots = 2 * slots_for(number)  # a quarter full at most: nearly every run that isn't there costs one look
    room = np.zeros((3, slots), np.int64)
    runs = Runs(texts.data, sizes, np.zeros(slots, np.uint64), room[0], room[1], room[2])
    _put(runs, *texts, length, _beginnings(texts))
    return runs


def first_runs(runs: Runs, texts: Texts) -> Offsets:
    """Return for each text the slot of the first run that it has, the longer runs sought before the shorter, or -1."""
    found = np.full(texts.number, -1, np.int64)
    if runs.sizes.size:
        _seek(runs, *texts, _beginnings(texts), found)
    return found


def _beginnings(texts: Texts) -> U64:
    """Return room for the hashes of the beginnings of the longest text: a word takes two bytes, the last one."""
    return np.empty(int(np.diff(texts.offsets).max(initial=0)) // 2 + 2, np.uint64)


@kernel
def _put(runs: Runs, data: Bytes, offsets: Offsets, length: Offsets, sums: U64) -> None:
    for text in range(length.size):
        size = length[text]
        if size == 0:
            continue
        count, top = _sum(data, offsets[text], offsets[text + 1], sums), _power(size)
        begin, end = offsets[text], _after(data, offsets[text], offsets[text + 1], size)
        for first in range(count - size + 1):
            key = max(sums[first + size] - sums[first] * top, _ONE)
            slot = _find(runs, key, data, begin, end)
            if runs.keys[slot] == _NONE:
                runs.keys[slot], runs.begins[slot], runs.ends[slot], runs.texts[slot] = key, begin, end, text
            begin = _after(data, begin, offsets[text + 1], 1) + 1
            end = _after(data, end + 1, offsets[text + 1], 1)


@kernel
def _seek(runs: Runs, data: Bytes, offsets: Offsets, sums: U64, found: Offsets) -> None:
    slots = runs.keys.size
    for text in range(found.size):
        count = _sum(data, offsets[text], offsets[text + 1], sums)
        for size in runs.sizes:
            top = _power(size)
            for first in range(count - size + 1):
                key = max(sums[first + size] - sums[first] * top, _ONE)
                if runs.keys[slot_of(key, runs.keys, slots)] != key:
                    continue
                begin = offsets[text] if first == 0 else _after(data, offsets[text], offsets[text + 1], first) + 1
                slot = _find(runs, key, data, begin, _after(data, begin, offsets[text + 1], size))
                if runs.keys[slot] == key:
                    found[text] = slot
                    break
            if found[text] >= 0:
                break


@kernel
def _sum(data: Bytes, start: int, end: int, sums: U64) -> int:
    """Hash the text's beginnings of 0 words, 1 word, …; return how many words it has."""
    count = hash_words(data, start, end, sums[1:])
    sums[0] = _NONE
    for word in range(count):
        sums[word + 1] += sums[word] * BASE
    return count


@kernel
def _power(size: int) -> np.uint64:
    top = _ONE
    for _ in range(size):
        top *= BASE
    return top


@kernel
def _find(runs: Runs, key: np.uint64, data: Bytes, begin: int, end: int) -> int:
    """Return the slot of the run with this hash and these words, ``data[begin:end]``, or a free one."""
    slot = slot_of(key, runs.keys, runs.keys.size)
    while runs.keys[slot] != _NONE and not (runs.keys[slot] == key and _equal(runs, slot, data, begin, end)):
        slot = (slot + 1) & (runs.keys.size - 1)
    return slot  # type: ignore[no-any-return]


@kernel
def _equal(runs: Runs, slot: int, data: Bytes, begin: int, end: int) -> bool:
    if runs.ends[slot] - runs.begins[slot] != end - begin:
        return False
    for place in range(end - begin):
        if runs.data[runs.begins[slot] + place] != data[begin + place]:
            return False
    return True


@kernel
def _after(data: Bytes, begin: int, end: int, words: int) -> int:
    """Return where the last of so many words ends, of which the first begins at ``begin``; at most ``end``."""
    while begin < end:
        words -= data[begin] == _SPACE
        if words == 0:
            return begin
        begin += 1
    return end
