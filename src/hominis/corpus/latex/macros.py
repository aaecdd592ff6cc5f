"""Macros that a paper defines: the simple ones are expanded, the others stay in the text as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hominis.corpus.latex.arguments import Budget, arguments, optional

_LONGEST_BODY = 2_000
_PROGRAMMING = "else|fi|if(?!f(?![a-zA-Z]))[a-zA-Z]*|expandafter|noexpand|csname|futurelet|let|[exg]?def|newcommand"
_ASSIGNMENTS = "catcode|global|advance|set(?:length|counter)|addtocounter|stepcounter|new(?:count|dimen|if)|everypar"
_BOXES = "kern|mkern|mskip|hskip|vskip|raise|lower|raisebox|moveleft|moveright|setbox|copy|box|ooalign|halign|vcenter"
_RULES = "rule|hrule|vrule|special|accent|char|mathchar|mathchoice|mathpalette|llap|rlap|buildrel|hbox to|put|verb"
_COMPLICATED = re.compile(rf"@|\\(?:{_PROGRAMMING}|{_ASSIGNMENTS}|{_BOXES}|{_RULES})(?![a-zA-Z])")
_PARAMETER = re.compile(r"#([1-9#]?)")
_NAME = re.compile(r"\s{0,9}(?:\{\s{0,9}\\([a-zA-Z@]+)\s{0,9}\}|\\([a-zA-Z@]+))")
_PLAIN_PARAMETERS = re.compile(r"\s{0,9}((?:#[1-9]){0,9})\s{0,9}(?=\{)")
_ANY_PARAMETERS = re.compile(r"[^{}]{0,200}(?=\{)")
_SPECIFIED = re.compile(r"\s{0,9}\{([^{}]{0,60})\}")
_TARGET = re.compile(r"[ \t]*=?[ \t]?\\([a-zA-Z@]+)")
_COMMAND_AT_END = re.compile(r"\\([a-zA-Z]+)\Z")


@dataclass(frozen=True, slots=True)
class Macro:
    """How a command expands: pieces of text, and the numbers (from 0) of the arguments between them."""

    pieces: tuple[str | int, ...]
    count: int = 0
    default: str | None = None

    @property
    def form(self) -> str:
        """Its arguments, as ``arguments`` reads them."""
        return "m" * self.count if self.default is None else "o" + "m" * (self.count - 1)

    def expanded(self, values: Sequence[str | None]) -> str:
        """Return its body with the arguments in their places."""
        given = [self.default or "" if value is None else value for value in values]
        return joined([given[piece] if isinstance(piece, int) else piece for piece in self.pieces])


Definition = tuple[str, Macro | None, int]
"""A name; what it means, None if that is complicated; the position after the definition."""


def joined(pieces: Sequence[str]) -> str:
    r"""Return the pieces as one text in which ``\alpha`` before ``x`` stays a command of its own."""
    out: list[str] = []
    before = ""
    for piece in pieces:
        if piece[:1].isalpha() and before[-1:].isalpha() and command_at_end(before):
            out.append(" ")
        out.append(piece)
        before = piece or before
    return "".join(out)


def command_at_end(text: str) -> str:
    r"""Return the name of the command that a text ends with, without its ``\``; empty if it ends otherwise."""
    found = _COMMAND_AT_END.search(text, max(0, len(text) - 40)) if text[-1:].isalpha() else None
    escaped = found is not None and text[found.start() - 1 : found.start()] == "\\"
    return found[1] if found and not escaped else ""


def newcommand(text: str, start: int, budget: Budget) -> Definition | None:
    r"""Read what follows ``\newcommand`` and its kin."""
    name, start = _name(text, start + text.startswith("*", start))
    count, start = optional(text, start, budget)
    default, start = optional(text, start, budget) if count is not None else (None, start)
    number = int(count) if count is not None and count.strip() in tuple("0123456789") else (0 if count is None else -1)
    if number == 0:
        default = None
    return _defined(name, text, start, number, default, budget)


def newdocumentcommand(text: str, start: int, budget: Budget) -> Definition | None:
    r"""Read what follows ``\NewDocumentCommand`` and its kin; simple ones have mandatory arguments only."""
    name, start = _name(text, start)
    form = _SPECIFIED.match(text, start)
    if not form:
        return None
    simple = set(form[1]) <= set("m ")
    return _defined(name, text, form.end(), form[1].count("m") if simple else -1, None, budget)


def definition(text: str, start: int, budget: Budget) -> Definition | None:
    r"""Read what follows ``\def`` and its kin; simple ones have undelimited arguments."""
    name, start = _name(text, start)
    plain = _PLAIN_PARAMETERS.match(text, start)
    form = plain or _ANY_PARAMETERS.match(text, start)
    if not form:
        return None
    return _defined(name, text, form.end(), len(plain[1]) // 2 if plain else -1, None, budget)


def operator(text: str, start: int, budget: Budget) -> Definition | None:
    r"""Read what follows ``\DeclareMathOperator``."""
    star = "*" if text.startswith("*", start) else ""
    name, start = _name(text, start + len(star))
    found = arguments(text, start, "m", budget)
    if not name or not found:
        return None
    return name, Macro((f"\\operatorname{star}{{{found[0][0]}}}",)), found[1]


def alias(text: str, start: int) -> tuple[str, str, int] | None:
    r"""Read what follows ``\let``: both names, and the position after them."""
    name, start = _name(text, start)
    target = _TARGET.match(text, start)
    return (name, target[1], target.end()) if name and target else None


def _name(text: str, start: int) -> tuple[str, int]:
    found = _NAME.match(text, start)
    return (found[1] or found[2], found.end()) if found else ("", start)


def _defined(name: str, text: str, start: int, count: int, default: str | None, budget: Budget) -> Definition | None:
    found = arguments(text, start, "m", budget)
    if not name or not found:
        return None
    body, end = found[0][0] or "", found[1]
    simple = 0 <= count <= 9 and len(body) <= _LONGEST_BODY and not _COMPLICATED.search(body)
    pieces = _pieces(body.strip(), count) if simple else None
    return name, Macro(pieces, count, default) if pieces is not None else None, end


def _pieces(body: str, count: int) -> tuple[str | int, ...] | None:
    body = body.removesuffix("\\xspace").removesuffix("{}")
    pieces: list[str | int] = []
    last = 0
    for found in _PARAMETER.finditer(body):
        pieces.append(body[last : found.start()])
        last = found.end()
        if not found[1].isdigit() or int(found[1]) > count:
            return None
        pieces.append(int(found[1]) - 1)
    return (*pieces, body[last:])
