"""A file of code and what the rules on its content ask about it, each measured once and only if it is asked."""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hominis.corpus.code import languages

_ASCII = bytes(range(128))
_UNSEEN = {"<script": "</script", "<style": "</style", "<!--": "-->"}


class _Measures(NamedTuple):
    letters: int
    digits: int
    lines: int
    longest: int
    block: int
    encoded: int
    escapes: int


class File:
    """A file, as its repository has it.

    Args:
        path: may be empty.
        text: what it holds.
        stated: the language that a dataset gives.
    """

    def __init__(self, path: str, text: str, stated: str | None = None) -> None:
        self.path, self.text, self._stated = path, text, stated

    @cached_property
    def language(self) -> str | None:
        """Its language, as linguist names it; None if it is none that is known."""
        return languages.language(self.path, self.text, self._stated)

    @cached_property
    def kind(self) -> str:
        """What its language is: ``code``, ``prose``, ``markup`` or ``data``."""
        return languages.kind(self.language)

    @cached_property
    def name(self) -> str:
        """Its name in lower case."""
        return self.path.rpartition("/")[2].lower()

    @property
    def lines(self) -> int:
        """Its lines; of an empty file, one."""
        return max(self._measures.lines, 1)

    @property
    def mean_line(self) -> float:
        """Characters in a line, on average."""
        return len(self.text) / self.lines

    @property
    def longest_line(self) -> int:
        """Characters in the longest line, without its end."""
        return self._measures.longest

    @property
    def alphabetic(self) -> float:
        """Fraction of characters that are letters, of any script."""
        return self._measures.letters / max(len(self.text), 1)

    @property
    def alphanumeric(self) -> float:
        """Fraction of characters that are letters or digits, of any script."""
        return (self._measures.letters + self._measures.digits) / max(len(self.text), 1)

    @property
    def longest_block(self) -> int:
        """Bytes of the longest block of lines that look like base64 or long hexadecimal numbers."""
        return self._measures.block

    @property
    def encoded(self) -> float:
        """Fraction of the text that looks so, or is bytes written as numbers or escapes, whichever is more."""
        return max(self._measures.encoded, self._measures.escapes) / max(len(self.text), 1)

    @cached_property
    def visible(self) -> int:
        """Characters of a page that a browser shows, white space left out: not tags, comments, scripts or styles."""
        return sum(len("".join(piece.split())) for piece in _shown(self.text))

    @cached_property
    def _measures(self) -> _Measures:
        from hominis.corpus.kernels.code import CLASSES, measure_code

        raw = self.text.encode("utf-8", "surrogatepass")
        found = _Measures(*measure_code(np.frombuffer(raw, np.uint8), CLASSES))
        if self.text.isascii():
            return found
        rest = raw.translate(None, _ASCII).decode("utf-8", "surrogatepass")
        letters = sum(map(str.isalpha, rest))
        digits = sum(map(str.isalnum, rest)) - letters
        return found._replace(letters=found.letters + letters, digits=found.digits + digits)


def _shown(page: str) -> list[str]:
    """Split a page into its text; every character is looked at a fixed number of times, whatever the page is like."""
    lowered = page.lower() if page.isascii() else re.sub("[A-Z]+", lambda found: found[0].lower(), page)
    pieces = []
    at = 0
    while (tag := page.find("<", at)) >= 0:
        pieces.append(page[at:tag])
        close = next((shut for opened, shut in _UNSEEN.items() if lowered.startswith(opened, tag)), ">")
        end = lowered.find(close, tag + 1)
        if end < 0:
            return pieces
        at = end + len(close)
    pieces.append(page[at:])
    return pieces
