"""Characters that stand for something between the passes; no text holds them, as decoding drops control characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

HOLD = "\x00"
"""Around the number of a piece of verbatim text that is put back at the end, so that no pass looks into it."""

GONE = "\x01"
"""Where something was taken out: a line of nothing else goes with it, and the words around stay two."""

HELD = re.compile("\x00([0-9]{1,9})\x00")
"""What stands for verbatim text."""

_AFTER_SPACE = re.compile("(?<= )\x01[\x01 ]*")
_BETWEEN_WORDS = re.compile("(?<=\\w)\x01+(?=\\w)")


def hold(kept: list[str], piece: str) -> str:
    """Put a piece of verbatim text away; return what stands for it."""
    kept.append(piece)
    return f"{HOLD}{len(kept) - 1}{HOLD}"


def tidy(text: str, kept: Sequence[str]) -> str:
    """Return text with its verbatim pieces, each put back once, at most one empty line in a row, and no marks."""
    lines: list[str] = []
    for line in text.split("\n"):
        clean = line.rstrip()
        if GONE in clean:
            clean = _AFTER_SPACE.sub("", _BETWEEN_WORDS.sub(" ", clean)).replace(GONE, "").rstrip()
            if not clean:
                continue
        if clean or (lines and lines[-1]):
            lines.append(clean)
    left = dict(enumerate(kept))
    whole = "\n".join(lines)
    if HOLD in whole:
        whole = HELD.sub(lambda found: left.pop(int(found[1]), ""), whole).replace(HOLD, "")
    return whole.strip()
