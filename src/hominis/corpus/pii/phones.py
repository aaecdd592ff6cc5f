"""What looks like a phone number: international, of a few national forms, or of any form behind a word for it."""

from __future__ import annotations

import re

_SIGN = rb"(?:[ ]?[-./][ ]?|[ ]|\xc2\xa0|\xe2\x80[\x90\x91\x93\xaf])"
_JOIN = rb"(?:%b\(\d{1,5}\)%b?|\(\d{1,5}\)%b?|\)%b?|%b)" % ((_SIGN,) * 5)
_REST = rb"(?:%b\d(?=%b\d))?(?:%b\d{2,15}){0,7}" % ((_JOIN,) * 3)
_FREE = rb"(?<![A-Za-z0-9_+~])(?<![0-9][-./:,])"
_END = rb"(?:[ ]?(?:[Xx]|[Ee]xt\.?)[ ]?\d{1,6})?(?![A-Za-z0-9_])(?![-./:,]\d)"
_PAIR = rb"(?:[0-9][0-9A-Fa-f]|[0-9A-Fa-f][0-9])"
_COUNTRY = (
    rb"(?=1|7|2(?:[07]|1[1-368]|[2346]\d|5[0-8]|9[0179])|3(?:[0-469]|5\d|7[0-8]|8[0-35-79])|4(?:[013-9]|2[013])"
    rb"|5(?:[1-8]|0\d|9\d)|6(?:[0-6]|7[02-9]|8\d|9[0-2])|8(?:[1246]|[05]\d|[78]\d)|9(?:[0-58]|[679]\d))"
)
"""What a country's code can be (ITU-T E.164, list of assigned codes)."""

_INTERNATIONAL = re.compile(
    rb"%b(?:\+%b\d{1,15}|00%b(?!\d\d(?:[ ]\d{4})+(?!\d))\d{1,3}(?!\d))%b" % (_FREE, _COUNTRY, _COUNTRY, _REST)
)
_NORTH_AMERICA = rb"(?:1[-. ])?(?:[2-9]\d\d([-.])[2-9]\d\d\1\d{4}|\([2-9]\d\d\) ?[2-9]\d\d[-. ]\d{4})"
_NATIONAL = [
    re.compile(_FREE + form + _END)
    for form in (
        _NORTH_AMERICA,
        rb"\(0[1-9]\d{0,3}\)%b?\d{2,}(?:%b\d{2,9}){0,5}" % (_SIGN, _SIGN),
        rb"(?<![-./])(?!\d{5}-\d{4}(?!\d))0[1-9]\d{0,3}[ ]?[/-][ ]?\d{3,}(?:%b\d{2,9}){0,5}" % _SIGN,
        rb"3[2-9]\d[/-]\d{6,7}",
        rb"(?<!\d[ ])(?:0[1-9]\d[ ]\d{4}|0[1-9]\d\d[ ]\d{3})[ ]\d{4}(?![ ]\d)",
        rb"(?<!%b[ .:-])(?!01.02.03)0[1-9]([ .-])\d\d(?:\1\d\d){3}(?![ ]%b(?![A-Za-z0-9]))(?![.:-][0-9A-Fa-f]{2})"
        % (_PAIR, _PAIR),
    )
]
"""North America; an area code with its zero in brackets, or before a slash or hyphen (no US postcode); an Italian
mobile; British; French."""

_ENDING = re.compile(_END)
_WORDS = frozenset(
    """tel tels tél TÉL telephone phone phonenumber telefono telefon telefoon téléphone TÉLÉPHONE telefax fax mobile
    mobil cellulare cellphone handy whatsapp verde""".encode()
    .lower()
    .split()
)
_NUMBER = frozenset(b"number numbers numero no nr num n".split())
_CELL = b"cell"  # with a dot or a colon, for there are other cells
_SIGNS = " .:#/'\"(\u00a0°№".encode()
_MOST_SIGNS = 12
_LABELLED = re.compile(rb"(?:\(\d{2,5}\)%b?\d{1,15}|\d{2,15})%b" % (_SIGN, _REST))
_NEAR = 40
_DATE = re.compile(rb"(?:19|20)\d\d[-./]\d\d[-./]\d\d|\d\d[-./]\d\d[-./](?:19|20)\d\d")
_MOST, _LEAST, _LEAST_ABROAD, _LEAST_UNBROKEN = 15, 7, 9, 10
_LEAST_DIFFERENT = 3


def labels() -> list[bytes]:
    """Return the words after which a number of any form is a phone's."""
    return [*_WORDS, *_NUMBER, _CELL]


def phone(text: memoryview, at: int) -> tuple[int, int] | None:
    """Return the span of the number that begins at a byte."""
    return _abroad(text, at) or _national(text, at) or _labelled(text, at)


def _abroad(text: memoryview, at: int) -> tuple[int, int] | None:
    span = _bounded(text, _INTERNATIONAL.match(text, at))
    if not span:
        return None
    written = bytes(text[span[0] : span[1]])
    digits = _digits(written).removeprefix(b"00")
    broken = len(re.findall(rb"[^\d+.]|\.(?=.*\.)", written[1:]))  # one dot makes a decimal number
    if len(digits) < (_LEAST_ABROAD if broken else _LEAST_UNBROKEN) or (written[0] == ord("0") and broken < 2):
        return None
    if not broken and b"." in written:
        return None
    if digits[0] == ord("1") and not re.fullmatch(rb"1[2-9]\d\d[2-9]\d{6}", digits):
        return None
    if digits[0] == ord("7") and len(digits) != 11:
        return None
    opened = at and text[at - 1] == ord("(") and b")" in written and written.count(b"(") < written.count(b")")
    return (span[0] - bool(opened), span[1])


def _national(text: memoryview, at: int) -> tuple[int, int] | None:
    for pattern in _NATIONAL:
        if found := pattern.match(text, at):
            digits = _digits(found[0])
            if _LEAST_ABROAD <= len(digits) <= 12 and len(set(digits)) >= _LEAST_DIFFERENT:
                return found.span()
    return None


def _labelled(text: memoryview, at: int) -> tuple[int, int] | None:
    if not _is_label(bytes(text[max(0, at - _NEAR) : at])):
        return None
    span = _bounded(text, _LABELLED.match(text, at))
    if not span:
        return None
    written = bytes(text[span[0] : span[1]])
    return span if len(_digits(written)) >= _LEAST and not _DATE.fullmatch(written) else None


def _is_label(before: bytes) -> bool:
    bare = before.rstrip(_SIGNS)
    signs = before[len(bare) :]
    *_, former, last = [b"", *re.split(rb"[^a-z\x80-\xff]+", bare.lower())]
    if not 0 < len(signs) <= _MOST_SIGNS or not last:
        return False
    return last in _WORDS or (last in _NUMBER and former in _WORDS) or (last == _CELL and signs[0] in b".:")


def _bounded(text: memoryview, found: re.Match[bytes] | None) -> tuple[int, int] | None:
    """Return the span of the first groups of digits that are a number's at most; None if more touches it."""
    if not found:
        return None
    start, end = found.span()
    while len(_digits(text[start:end])) > _MOST:
        last = re.search(rb"\D+\d+\Z", text[start:end])
        if not last:
            return None
        end = start + last.start()
    ending = _ENDING.match(text, end)
    return (start, ending.end()) if ending and len(set(_digits(text[start:end]))) >= _LEAST_DIFFERENT else None


def _digits(written: bytes | memoryview) -> bytes:
    """Return the digits before an extension."""
    return re.sub(rb"[XxEe].*|\D", b"", written)
