"""International bank account numbers (ISO 13616): the country's length and the check digits must be right."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files

_FORM = re.compile(rb"(?<![A-Za-z0-9_])[A-Z]{2}\d\d(?:(?: |-|\xc2\xa0)?[A-Z0-9]){11,30}")


def iban(text: memoryview, at: int) -> tuple[int, int] | None:
    """Return the span of the number that begins at a byte, its groups joined or with spaces or hyphens between."""
    found = _FORM.match(text, at)
    if not found:
        return None
    length = lengths().get(found[0][:2].decode(), 0)
    places = [place for place, byte in enumerate(found[0]) if chr(byte).isascii() and chr(byte).isalnum()]
    if not 0 < length <= len(places):
        return None
    end = at + places[length - 1] + 1
    digits = bytes(found[0][place] for place in places[:length])
    follows = end < len(text) and (chr(text[end]).isascii() and chr(text[end]).isalnum())
    return (at, end) if not follows and _remainder(digits) == 1 else None


def _remainder(characters: bytes) -> int:
    """Return the number modulo 97, the first four characters moved to the end and letters read as 10 to 35."""
    return int("".join(str(int(chr(byte), 36)) for byte in characters[4:] + characters[:4])) % 97


@cache
def lengths() -> dict[str, int]:
    """Return the characters of a country's numbers, as the registry of ISO 13616 and banks' lists of others have it."""
    with files(__package__).joinpath("ibans.csv").open(encoding="utf-8") as rows:
        return {row["country"]: int(row["length"]) for row in csv.DictReader(rows)}
