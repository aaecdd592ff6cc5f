"""What Python's ``str`` and ``unicodedata`` say of every code point, as arrays that kernels index."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import inlined, kernel

SPACE, WORD, UPPER, SMALL, NUMERIC, LETTER, CASED, IGNORABLE = (1 << bit for bit in range(8))
"""Bits of a class: ``isspace``; ``isalnum`` or ``_``; ``isupper``; lower or title case; ``isnumeric``; a-z or A-Z;
cased, or case-ignorable, where a final sigma is told from another (a character that is both is the latter)."""

DELETED = 0x80
"""What ASCII punctuation becomes in normalised text: nothing."""

_CODE_POINTS, _BLOCK = 0x110000, 128
SIGMA, FINAL_SIGMA, _DOTTED_I = 0x3A3, 0x3C2, 0x130

U8 = npt.NDArray[np.uint8]


class Tables(NamedTuple):
    """Properties by code point.

    Attributes:
        classes: bits, u8, shape (code points,).
        ascii: what a byte below 128 becomes: ``DELETED``, a space, or itself in lower case; u8, shape (128,).
        combining: the canonical combining class, u8, shape (code points,).
        place: where in ``pool`` the lower-case, canonically decomposed form begins; -1 if that is the code point
            itself; i32, shape (code points,).
        length: bytes of that form, u8, shape (code points,).
        pool: those forms in UTF-8.
    """

    classes: U8
    ascii: U8
    combining: U8
    place: npt.NDArray[np.int32]
    length: U8
    pool: U8


@cache
def tables() -> Tables:
    """Return the tables of this Python's Unicode version; made once in a process, in some 0.1 s."""
    # planes 4 to 13 hold nothing, 15 and 16 are for private use: no code point there has any of these properties
    points = np.array([*range(0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000)], np.uint32)
    text = points.tobytes().decode("utf-32-le")
    place, length, pool = _forms(text)
    small = [chr(point).lower() for point in range(128)]
    low = [DELETED if c in string.punctuation else 32 if c.isspace() else ord(c) for c in small]
    combining = np.zeros(_CODE_POINTS, np.uint8)
    combining[points] = np.fromiter(map(unicodedata.combining, text), np.uint8, points.size)
    return Tables(_classes(text, points), np.array(low, np.uint8), combining, place, length, pool)


def _classes(text: str, points: npt.NDArray[np.uint32]) -> U8:
    characters = points.view("U1")
    of = np.strings
    upper = of.isupper(characters)
    tests = {
        SPACE: of.isspace(characters),
        WORD: of.isalnum(characters),
        UPPER: upper,
        SMALL: of.islower(characters) | (of.istitle(characters) & ~upper),
        NUMERIC: of.isnumeric(characters),
    }
    classes = np.zeros(_CODE_POINTS, np.uint8)
    for bit, true in tests.items():
        classes[points] |= true * np.uint8(bit)
    classes[ord("_")] |= WORD
    classes[[ord(c) for c in string.ascii_letters]] |= LETTER
    text = text.replace(chr(_DOTTED_I), "x")
    alone, after = _finals("", text), _finals("A", text)
    classes[points] |= alone * np.uint8(CASED) | (after & ~alone) * np.uint8(IGNORABLE)
    classes[_DOTTED_I] |= CASED  # left out of the above: its lower case is longer
    return classes


def _finals(before: str, text: str) -> npt.NDArray[np.bool_]:
    """Return after which characters of a text, put behind others, Python takes a sigma for a final one."""
    pieces = f"{before}{f'Σ {before}'.join(text)}Σ ".lower()
    lower = np.frombuffer(pieces.encode("utf-32-le"), np.uint32)
    size = len(before) + 3
    return np.asarray(lower[size - 2 :: size] == FINAL_SIGMA)


def _forms(text: str) -> tuple[npt.NDArray[np.int32], U8, U8]:
    place, length = np.full(_CODE_POINTS, -1, np.int32), np.zeros(_CODE_POINTS, np.uint8)
    pool = bytearray()
    for character in _changing(text):
        form = unicodedata.normalize("NFD", character.lower())
        if form != character:
            raw = form.encode()
            if len(raw) > GROWTH * len(character.encode()):
                raise AssertionError(f"U+{ord(character):04X} grows beyond {GROWTH} times its bytes")
            place[ord(character)], length[ord(character)] = len(pool), len(raw)
            pool += raw
    return place, length, np.frombuffer(bytes(pool), np.uint8)


def _changing(text: str) -> Iterator[str]:
    """Yield the characters of a text that may have another form, block by block: most blocks have none."""
    for begin in range(0, len(text), _BLOCK):
        block = text[begin : begin + _BLOCK]
        if block.lower() != block or not unicodedata.is_normalized("NFD", block):
            yield from block


GROWTH = 3
"""A character's lower-case decomposed form has at most this many times its bytes."""


@inlined
def byte_at(data: U8, at: int) -> np.uint8:
    """Return ``data[at]``, of which it is known that ``at`` is not negative: so nothing is asked."""
    return data[np.uint64(at)]  # type: ignore[no-any-return]


@inlined
def decode(data: U8, at: int) -> tuple[np.int64, int]:
    """Return the code point that begins at a byte of valid UTF-8, and where the next one begins."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    second = np.int64(data[at + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, at + 2
    third = np.int64(data[at + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, at + 3
    return (first & 0x07) << 18 | second << 12 | third << 6 | np.int64(data[at + 3]) & 0x3F, at + 4


@kernel
def before(data: U8, at: int) -> int:
    """Return where the code point begins that ends before a byte of valid UTF-8."""
    at -= 1
    while data[at] & 0xC0 == 0x80:
        at -= 1
    return at


@kernel
def is_final_sigma(tables: Tables, data: U8, start: int, at: int, end: int) -> bool:
    """Return whether the capital sigma at a byte is the last of a word, as ``str.lower`` sees it.

    ASCII punctuation is passed over, for it is deleted before letters become small.
    """
    place, bits = at, np.int64(IGNORABLE)
    while bits & IGNORABLE and place > start:
        place = before(data, place)
        bits = _seen(tables, decode(data, place)[0])
    if not bits & CASED:
        return False
    place, bits = at + 2, np.int64(IGNORABLE)
    while bits & IGNORABLE and place < end:
        point, place = decode(data, place)
        bits = _seen(tables, point)
    return not bits & CASED


@kernel
def _seen(tables: Tables, point: np.int64) -> np.int64:
    if point < 0x80 and tables.ascii[point] == DELETED:
        return np.int64(IGNORABLE)
    return np.int64(tables.classes[point])
