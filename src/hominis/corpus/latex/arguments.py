"""The arguments that follow a command, read within a budget of work so that no input takes more than linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hominis.corpus.latex.marks import HELD, HOLD

_SPACE = re.compile(r"[ \t]*\n?[ \t]*")
_BRACE = re.compile(r"\\.|[{}]", re.S)
_BRACKET = re.compile(r"\\.|[]{}]", re.S)
_COMMAND = re.compile(r"\\(?:[a-zA-Z@]+|.)", re.S)
_UNIT = r"(?:[ ]?(?:true[ ]?)?(?:pt|pc|in|bp|cm|mm|dd|cc|sp|ex|em|fil{1,3})(?![a-zA-Z])|\\[a-zA-Z]{1,30})"
_AMOUNT = rf"[-+]?(?:(?:\d{{1,9}}(?:[.,]\d{{0,9}})?|[.,]\d{{1,9}}){_UNIT}?|\\[a-zA-Z]{{1,30}})"
_LENGTH = re.compile(rf"[ ]?=?[ ]?{_AMOUNT}(?:[ ]?(?:plus|minus)[ ]?{_AMOUNT}){{0,2}}")
_LONGEST, _LONGEST_OPTIONAL = 200_000, 10_000


@dataclass
class Budget:
    """Characters that may still be looked at or written; once it is spent, everything is left as it is."""

    left: int

    def spend(self, amount: int) -> bool:
        """Take an amount; return whether it was there."""
        self.left -= amount
        return self.left >= 0


def group_end(text: str, start: int, budget: Budget) -> int:
    """Return the position after the ``}`` that closes the ``{`` at ``start``; -1 if none does."""
    close = text.find("}", start + 1, start + _LONGEST)
    if close >= 0 and text[close - 1] != "\\" and text.find("{", start + 1, close) < 0:
        return close + 1
    depth = 0
    for token in _BRACE.finditer(text, start, start + _LONGEST):
        found = token[0]
        if found == "{":
            depth += 1
        elif found == "}":
            depth -= 1
            if depth == 0:
                budget.spend(token.end() - start)
                return token.end()
    budget.spend(min(len(text) - start, _LONGEST))
    return -1


def optional(text: str, start: int, budget: Budget) -> tuple[str | None, int]:
    """Return what is in brackets after ``start``, or None, and the position after it."""
    begin = _SPACE.match(text, start).end()  # type: ignore[union-attr]  # it matches the empty string
    if text[begin : begin + 1] != "[":
        return None, start
    depth = 0
    for token in _BRACKET.finditer(text, begin, begin + _LONGEST_OPTIONAL):
        found = token[0]
        depth += (found == "{") - (found == "}")
        if found == "]" and depth <= 0:
            budget.spend(token.end() - begin)
            return text[begin + 1 : token.start()], token.end()
    budget.spend(min(len(text) - begin, _LONGEST_OPTIONAL))
    return None, start


def mandatory(text: str, start: int, budget: Budget) -> tuple[str, int] | None:
    """Return a command's next argument without its braces: a group, a command, verbatim text or a character."""
    if budget.left < 0:
        return None
    begin = _SPACE.match(text, start).end()  # type: ignore[union-attr]  # it matches the empty string
    first = text[begin : begin + 1]
    if first == "{":
        end = group_end(text, begin, budget)
        return (text[begin + 1 : end - 1], end) if end >= 0 else None
    if first == "\\":
        command = _COMMAND.match(text, begin)
        return (command[0], command.end()) if command else None
    if first == HOLD:
        held = HELD.match(text, begin)
        return (held[0], held.end()) if held else None
    return None if first in ("", "}", "&", "$", "\n", "#") else (first, begin + 1)


def arguments(text: str, start: int, form: str, budget: Budget) -> tuple[list[str | None], int] | None:
    """Return a command's arguments and the position after them; None if one is missing.

    Args:
        form: a letter each: ``s`` a star, ``o`` optional, ``m`` mandatory, ``l`` a length (kept as no argument).
    """
    values: list[str | None] = []
    for kind in form:
        if kind == "m":
            found = mandatory(text, start, budget)
            if found is None:
                return None
            value, start = found
            values.append(value)
        elif kind == "o":
            maybe, start = optional(text, start, budget)
            values.append(maybe)
        elif kind == "s":
            starred = text.startswith("*", start)
            start += starred
            values.append("*" if starred else None)
        else:
            length = _LENGTH.match(text, start)
            start = length.end() if length else start
    return values, start
