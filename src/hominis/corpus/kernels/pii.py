"""Where in a column of texts personal data may begin, found in one pass; ``hominis.corpus.pii`` then looks closely.

Most bytes only ask one table whether anything begins with them. What does is an ``@``, a run of digits, or the rarest
byte of a key's prefix; a few comparisons then leave about one place in thousands of bytes of ordinary text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts

KEY, EMAIL, IBAN, IP_ADDRESS, PHONE = range(5)
"""Kinds of places."""

_NOTHING, _DIGIT, _AT, _PREFIX = range(4)
_HYPHEN, _DOT, _SLASH, _ZERO, _ONE, _TWO, _THREE, _COLON, _PLUS, _OPEN, _CLOSE, _SPACE = b"-./0123:+() "
_IN_NAMES, _IN_PHONES = tuple(b".%+-"), tuple(b" -./()")
_AFTER_LABELS = tuple(b" .:#/'\"(")
_FEW_DIGITS, _MANY_DIGITS = 7, 9

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


class Anchors(NamedTuple):
    """What a byte may be the beginning or the middle of.

    Attributes:
        actions: what to do at each byte, u8, shape (256,).
        first: prefixes whose anchor is a byte behind another are ``first[pair]`` to ``first[pair + 1]``, the pair being
            256 times the one before and the anchor; i32, shape (65537,).
        prefixes: their bytes one after the other.
        bounds: where each prefix begins in ``prefixes``, and the end of the last.
        places: the index of each prefix's anchor in it.
        ibans: characters of a country's IBAN at ``26 * first letter + second letter``, 0 for none; u8, shape (676,).
        labels: whether words for a phone end in two letters, at ``32 * last but one + last``, each modulo 32, the first
            0 for a single letter; bool, shape (1024,).
    """

    actions: U8
    first: I32
    prefixes: U8
    bounds: I64
    places: I64
    ibans: U8
    labels: npt.NDArray[np.bool_]


def anchors(prefixes: list[bytes], ibans: dict[str, int], labels: list[bytes]) -> Anchors:
    """Return the tables for what keys begin with, country → characters of its IBANs, and words for a phone."""
    places = [min(range(1, len(prefix)), key=lambda at: _commonness(prefix[at - 1], prefix[at])) for prefix in prefixes]
    pairs = [256 * prefix[at - 1] + prefix[at] for prefix, at in zip(prefixes, places, strict=True)]
    order = np.argsort(pairs, kind="stable")
    anchored = np.array(pairs)[order]
    actions = np.zeros(256, np.uint8)
    actions[anchored % 256] = _PREFIX
    actions[ord("@")] = _AT
    actions[list(b"0123456789")] = _DIGIT
    lengths = np.zeros(676, np.uint8)
    for country, length in ibans.items():
        lengths[26 * (ord(country[0]) - 65) + ord(country[1]) - 65] = length
    endings = np.zeros(1024, np.bool_)
    endings[[32 * (label[-2] % 32 if len(label) > 1 else 0) + label[-1] % 32 for label in labels]] = True
    ordered = [prefixes[number] for number in order]
    return Anchors(
        actions,
        np.searchsorted(anchored, np.arange(2**16 + 1)).astype(np.int32),
        np.frombuffer(b"".join(ordered), np.uint8).copy(),
        np.cumsum([0, *map(len, ordered)], dtype=np.int64),
        np.array([places[number] for number in order], np.int64),
        lengths,
        endings,
    )


def _commonness(before: int, byte: int) -> int:
    """Return a rank of a byte behind another: a sign is rarest, then a capital; repeated ones make lines."""
    character = chr(byte)
    if before == byte or character.isspace() or character.isdigit():
        return 3
    return 2 if character.islower() else int(character.isupper())


def candidates(texts: Texts, rows: I64, table: Anchors) -> I64:
    """Return where something may be: row, kind and byte (in ``texts.data``), shape (places, 3), by row and byte.

    The byte is an e-mail address's ``@``, else the first of what is sought.
    """
    found = np.empty((max(1024, texts.data.size // 256), 3), np.int64)
    number = _scan(*texts, rows, table, found)
    if number > len(found):
        found = np.empty((number, 3), np.int64)
        _scan(*texts, rows, table, found)
    return found[:number]


@kernel
def _scan(data: Bytes, offsets: Offsets, rows: I64, table: Anchors, found: I64) -> int:
    """Fill ``found`` as far as it reaches; return how many places there are."""
    actions, first, prefixes, bounds, places, ibans, labels = table
    number = 0
    for row in rows:
        start, stop = offsets[row], offsets[row + 1]
        at = start
        while at < stop:
            action = actions[data[at]]
            if action == _NOTHING:
                at += 1
                continue
            if action == _DIGIT:
                end = at + 1
                while end < stop and 48 <= data[end] <= 57:
                    end += 1
                if _begins_iban(data, start, at, end, stop, ibans):
                    number = _note(found, number, row, IBAN, at - 2)
                if _begins_address(data, start, at, end, stop):
                    number = _note(found, number, row, IP_ADDRESS, at)
                phone = _phone(data, start, at, end, stop, labels)
                if phone >= 0:
                    number = _note(found, number, row, PHONE, phone)
                at = end
                continue
            if action == _AT:
                if _is_email(data, start, at, stop):
                    number = _note(found, number, row, EMAIL, at)
            else:
                pair = 256 * np.int64(data[at - 1]) + data[at] if at > start else 0
                for prefix in range(first[pair], first[pair + 1]):
                    begin, length = at - places[prefix], bounds[prefix + 1] - bounds[prefix]
                    if begin < start or begin + length > stop or (begin > start and _is_word(data[begin - 1])):
                        continue
                    same = 0
                    while same < length and data[begin + same] == prefixes[bounds[prefix] + same]:
                        same += 1
                    if same == length:
                        number = _note(found, number, row, KEY, begin)
            at += 1
    return number


@kernel
def _note(found: I64, number: int, row: int, kind: int, at: int) -> int:
    if number < len(found):
        found[number, 0], found[number, 1], found[number, 2] = row, kind, at
    return number + 1


@kernel
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@kernel
def _is_letter(byte: int) -> bool:
    return 97 <= byte | 32 <= 122


@kernel
def _is_word(byte: int) -> bool:
    return 97 <= byte | 32 <= 122 or 48 <= byte <= 57 or byte == 95


@kernel
def _is_email(data: Bytes, start: int, at: int, stop: int) -> bool:
    """Return whether a name stands before an ``@`` and after it something with a dot and a letter."""
    if at == start or at + 1 >= stop:
        return False
    byte = data[at - 1]
    if not (_is_word(byte) or byte >= 0x80 or byte in _IN_NAMES):
        return False
    place = at + 1
    while place < stop and place - at < 256:
        byte = data[place]
        if byte == _DOT and place > at + 1 and place + 1 < stop and _is_letter(data[place + 1]):
            return True
        if not (_is_letter(byte) or _is_digit(byte) or byte >= 0x80 or byte in (_HYPHEN, _DOT)):
            return False
        place += 1
    return False


@kernel
def _begins_iban(data: Bytes, start: int, at: int, end: int, stop: int, ibans: U8) -> bool:
    """Return whether a country's letters stand before two digits, and after them as many characters as it takes."""
    if at - 2 < start or end - at < 2 or (at - 2 > start and _is_word(data[at - 3])):
        return False
    one, two = data[at - 2], data[at - 1]
    if not (65 <= one <= 90 and 65 <= two <= 90):
        return False
    wanted = np.int64(ibans[26 * (np.int64(one) - 65) + np.int64(two) - 65]) - 2
    place, last = at, at
    while wanted > 0 and place < stop and place - last <= 3:
        byte = data[place]
        if 65 <= byte <= 90 or 48 <= byte <= 57:
            wanted -= 1
            last = place
        elif byte != _SPACE and byte != _HYPHEN and byte != 0xC2 and byte != 0xA0:
            return False
        place += 1
    return bool(wanted == 0)


@kernel
def _begins_address(data: Bytes, start: int, at: int, end: int, stop: int) -> bool:
    """Return whether four numbers with dots begin here, or four hexadecimal digits of public IPv6 and a colon."""
    if at > start and (_is_word(data[at - 1]) or data[at - 1] == _DOT):
        return False
    if (data[at] == _TWO or data[at] == _THREE) and at + 5 < stop and data[at + 4] == _COLON:
        return True
    place, last = end, at
    for _ in range(3):
        if place - last > 3 or place + 1 >= stop or data[place] != _DOT or not _is_digit(data[place + 1]):
            return False
        last = place + 1
        place = last + 1
        while place < stop and _is_digit(data[place]):
            place += 1
    return place - last <= 3


@kernel
def _phone(data: Bytes, start: int, at: int, end: int, stop: int, labels: npt.NDArray[np.bool_]) -> int:
    """Return where a phone number may begin whose first digits are these, else -1."""
    size = end - at
    before, after = data[at - 1] if at > start else _SPACE, data[end] if end < stop else _SPACE
    if before == _PLUS:
        return at - 1 if _digits(data, at, stop) >= _MANY_DIGITS else -1
    if _is_word(before):
        return -1
    if before == _OPEN and after == _CLOSE and 2 <= size <= 5:
        return at - 1 if _digits(data, at, stop) >= _FEW_DIGITS else -1
    next_one = data[end + 1] if end + 1 < stop else _SPACE
    likely = False
    if data[at] == _ZERO and 2 <= size <= 5:  # 0039 06…, 06/…, 06 / …, 06- …
        likely = _is_digit(next_one) or after >= 0x80 or next_one in (_OPEN, _SLASH, _HYPHEN) or after == _OPEN
        likely = likely or (next_one == _SPACE and after in (_SLASH, _HYPHEN))
    elif size == 3 and data[at] >= _TWO and after in (_HYPHEN, _DOT, _SLASH):  # 202-555-0143, 333/1234567
        again = end + 4 < stop and data[end + 4] == after and _is_digit(data[end + 3])
        likely = again or (data[at] == _THREE and after != _DOT)
    elif size == 1 and data[at] == _ONE and after in (_HYPHEN, _DOT, _SPACE):  # 1-202-555-0143, 1 (202) 555-0143
        likely = next_one == _OPEN or (end + 4 < stop and data[end + 4] in (_HYPHEN, _DOT))
    if likely and _digits(data, at, stop) >= _MANY_DIGITS:
        return at
    return at if size >= 2 and _after_label(data, start, at, labels) and _digits(data, at, stop) >= _FEW_DIGITS else -1


@kernel
def _digits(data: Bytes, at: int, stop: int) -> int:
    """Return how many digits follow, no more than ``_MANY_DIGITS``, where few other characters are between them."""
    digits, last, place = 0, at, at
    while place < stop and place - last <= 6 and digits < _MANY_DIGITS:
        byte = data[place]
        if _is_digit(byte):
            digits += 1
            last = place
        elif byte < 0x80 and byte not in _IN_PHONES:
            break
        place += 1
    return digits


@kernel
def _after_label(data: Bytes, start: int, at: int, labels: npt.NDArray[np.bool_]) -> bool:
    """Return whether a word stands before that ends as words for a phone do, with a few signs between."""
    place = at - 1
    while place >= start and at - place <= 13 and (data[place] >= 0x80 or data[place] in _AFTER_LABELS):
        place -= 1
    if place < start or place == at - 1 or not _is_letter(data[place]):
        return False
    before = data[place - 1] & 31 if place > start and _is_letter(data[place - 1]) else 0
    return bool(labels[32 * np.int64(before) + (data[place] & 31)])
