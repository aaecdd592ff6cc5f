r"""``\iffalse`` and the switches that a paper makes with ``\newif``; other conditions stay in the text."""

from __future__ import annotations

import re

from hominis.corpus.latex.arguments import Budget

_TOKEN = re.compile(r"\\(?:(if[a-zA-Z]*|else|fi)(?![a-zA-Z])|.)", re.S)
_NO_CONDITION = ("iff", "ifthenelse")

NEW = re.compile(r"\s{0,9}\\if([a-zA-Z@]+)")
r"""What follows ``\newif``."""


def branches(text: str, start: int, budget: Budget) -> tuple[str, str, int] | None:
    r"""Return what is kept if the condition before ``start`` holds, what if not, and the position after ``\fi``."""
    depth, middle = 0, -1
    for token in _TOKEN.finditer(text, start):
        name = token[1]
        if name is None or name in _NO_CONDITION:
            continue
        if name == "else":
            middle = token.start() if depth == 0 and middle < 0 else middle
        elif name != "fi":
            depth += 1
        elif depth:
            depth -= 1
        else:
            budget.spend(token.end() - start)
            first = text[start : middle if middle >= 0 else token.start()]
            second = text[middle + len("\\else") : token.start()] if middle >= 0 else ""
            return first, second, token.end()
    budget.spend(len(text) - start)
    return None
