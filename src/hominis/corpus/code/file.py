"""A file of code and what the rules on its content ask about it, each measured once and only if it is asked."""

from __future__ import annotations

import re
import string
from functools import cached_property

from hominis.corpus.code import languages

_LETTERS, _DIGITS = string.ascii_letters.encode(), string.digits.encode()
_ASCII = bytes(range(128))
_BASE64 = bytes(ord("a") if byte in _LETTERS + _DIGITS + b"+/" else ord(" ") for byte in range(256))
_RUN = b"a" * 64
_GLUE = b" \t\r\n\"',+\\;.#*/"
_UNSEEN = {"<script": "</script", "<style": "</style", "<!--": "-->"}


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

    @cached_property
    def lengths(self) -> list[int]:
        """The lengths of its lines, in characters, without their ends; of an empty file, one of none."""
        return list(map(len, self.text.splitlines())) or [0]

    @property
    def mean_line(self) -> float:
        """Characters in a line, on average."""
        return len(self.text) / len(self.lengths)

    @property
    def longest_line(self) -> int:
        """Characters in the longest line."""
        return max(self.lengths)

    @property
    def alphabetic(self) -> float:
        """Fraction of characters that are letters, of any script."""
        return self._counts[0] / max(len(self.text), 1)

    @property
    def alphanumeric(self) -> float:
        """Fraction of characters that are letters or digits, of any script."""
        return sum(self._counts) / max(len(self.text), 1)

    @cached_property
    def visible(self) -> int:
        """Characters of a page that a browser shows, white space left out: not tags, comments, scripts or styles."""
        return sum(len("".join(piece.split())) for piece in _shown(self.text))

    @cached_property
    def encoded(self) -> tuple[int, int]:
        """Bytes that look like base64 or long hexadecimal numbers: of the longest block of lines, and in all."""
        mapped = self._raw.translate(_BASE64)
        longest = block = total = 0
        start, end = mapped.find(_RUN), 0
        while start >= 0:
            glued = not self._raw[end:start].strip(_GLUE) and block
            end = mapped.find(b" ", start)
            end = len(mapped) if end < 0 else end
            size = end - start if _is_mixed(self._raw[start:end]) else 0
            block = block + size if glued else size
            longest, total = max(longest, block), total + size
            start = mapped.find(_RUN, end)
        return longest, total

    @property
    def escapes(self) -> int:
        r"""Characters of bytes written as ``0x1f,``, ``\x1f`` or ``\u001f``; 0 if they can't be half of the text."""
        most = self._counts[1] + self._raw.count(b"\\")
        if 12 * most < len(self.text):
            return 0
        return 6 * self.text.count("0x") + 4 * self.text.count("\\x") + 6 * self.text.count("\\u")

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """Letters, and other characters that are letters or digits."""
        without_letters = self._raw.translate(None, _LETTERS)
        letters = len(self._raw) - len(without_letters)
        digits = len(without_letters) - len(without_letters.translate(None, _DIGITS))
        if self.text.isascii():
            return letters, digits
        rest = without_letters.translate(None, _ASCII).decode("utf-8", "surrogatepass")
        others = sum(map(str.isalpha, rest))
        return letters + others, digits + sum(map(str.isalnum, rest)) - others

    @cached_property
    def _raw(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")


def _is_mixed(run: bytes) -> bool:
    """Tell letters with digits from a drawn line or a long word."""
    return len(run.translate(None, _LETTERS)) < len(run) and len(run.translate(None, _DIGITS)) < len(run)


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
