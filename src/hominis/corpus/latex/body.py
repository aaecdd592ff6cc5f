"""One pass over a paper's text: macros defined and expanded, what is no text dropped, the rest copied as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from hominis.corpus.latex import commands, conditionals, macros
from hominis.corpus.latex.arguments import Budget, arguments, optional
from hominis.corpus.latex.macros import Macro
from hominis.corpus.latex.marks import GONE
from hominis.corpus.latex.mathematics import Mathematics

_COMMAND = re.compile(r"\\(?:([a-zA-Z]+)|.)", re.S)
_COMMAND_OF_PACKAGE = re.compile(r"\\(?:([a-zA-Z@]+)|.)", re.S)
_ENVIRONMENT = re.compile(r"\s{0,9}\{([a-zA-Z]{1,40}\*?)\}")
_DEEPEST = 12
_WORK = 14
_SLACK = 100_000
_MOST = 64 * 2**20
"""Characters that are looked at or written, whatever the length: what is longer than a document is dropped anyway."""

Replaced = tuple[str, int] | None
"""What a command becomes and the position after it and its arguments; None: it stays."""

Meaning = Callable[[str, int], Replaced]

Reader = Callable[[str, int, Budget], macros.Definition | None]

_DEFINERS: dict[Reader, tuple[str, ...]] = {
    macros.newcommand: ("newcommand", "renewcommand", "providecommand", "DeclareRobustCommand"),
    macros.newdocumentcommand: ("NewDocumentCommand", "RenewDocumentCommand", "DeclareDocumentCommand"),
    macros.definition: ("def", "gdef", "edef", "xdef"),
    macros.operator: ("DeclareMathOperator",),
}


class Body:
    """Reads the texts of one paper in order: what one defines, the next knows.

    The work is bounded: some times the length of the texts, and at most ``_MOST`` characters, are looked at or written,
    then the rest stays as it is.

    Attributes:
        title: what the first ``\\title`` holds; empty if there is none.
        ended: the place was passed where the text of a paper ends.
    """

    def __init__(self, length: int, packages: Callable[[str], str | None] = lambda _: None) -> None:
        """Allow work for ``length`` characters; ``packages`` returns the text of a style file of the paper."""
        self.title = ""
        self.ended = False
        self._budget, self._room = Budget(_SLACK), _MOST
        self._allow(length)
        self._depth = 0
        self._ensured = False
        self._mathematics, self._place = Mathematics(""), 0
        self._packages = packages
        self._seen: set[str] = set()
        self._defining = False
        self._known: dict[str, Meaning] = {
            **{name: partial(self._drop, form) for name, form in commands.DROPPED.items()},
            **{name: partial(self._define, reader) for reader, names in _DEFINERS.items() for name in names},
            **{name: partial(self._expand, macro) for name, macro in commands.BUILT_IN.items()},
            **dict.fromkeys(commands.LAST, self._last),
            "let": self._let,
            "newif": self._newif,
            "iftrue": partial(self._branch, True),
            "iffalse": partial(self._branch, False),
            "ensuremath": self._ensuremath,
            "title": partial(self._title, "om", 1),
            "icmltitle": partial(self._title, "m", 0),
            "Title": partial(self._title, "mm", 1),
            "twocolumn": self._twocolumn,
            "begin": self._begin,
            "end": self._end,
            "usepackage": self._usepackage,
        }
        self._kept = frozenset(self._known) | commands.STRUCTURE

    def _allow(self, length: int) -> None:
        granted = min(_WORK * length, self._room)
        self._room -= granted
        self._budget.left += granted

    def define(self, text: str) -> None:
        """Take the definitions and the title of a preamble or style file; its text is none."""
        self._defining = True
        self.read(text)
        self._defining = False

    def read(self, text: str) -> str:
        """Return the text with macros expanded and without what is no text, up to where it ends."""
        out: list[str] = []
        last = 0
        known, budget = self._known, self._budget
        if not self._depth:
            self._mathematics = Mathematics(text)
        for found in (_COMMAND_OF_PACKAGE if self._defining else _COMMAND).finditer(text):
            meaning = known.get(found[1])
            if meaning is None or found.start() < last or budget.left < 0:
                continue
            if not self._depth:
                self._place = found.start()
            replaced = meaning(text, found.end())
            if replaced is not None:
                out += (text[last : found.start()], _grouped(text, last, found.start(), replaced[0]))
                last = replaced[1]
            if self.ended:
                break
        else:
            out.append(text[last:])
        return macros.joined(out) if len(out) > 1 else "".join(out)

    def _again(self, text: str) -> str:
        """Read what an expansion gave, unless that goes too deep or too far."""
        if self._depth >= _DEEPEST or not self._budget.spend(2 * len(text) + 60) or "\\" not in text:
            return text
        self._depth += 1
        read = self.read(text)
        self._depth -= 1
        return read

    def _expand(self, macro: Macro, text: str, start: int) -> Replaced:
        found = arguments(text, start, macro.form, self._budget) if macro.count else ([], start)
        if found is None:
            return None
        values, end = found
        expanded = self._again(macro.expanded(values))
        if not macro.count and text.startswith("{}", end) and not macros.command_at_end(expanded):
            end += 2
        return expanded, end

    def _drop(self, form: str, text: str, start: int) -> Replaced:
        found = arguments(text, start, form, self._budget)
        if found is None:
            return None
        end = found[1]
        while text.startswith((" ", "\t"), end) and not form:
            end += 1
        return GONE, end

    def _define(self, reader: Reader, text: str, start: int) -> Replaced:
        found = reader(text, start, self._budget)
        if found is None:
            return None
        name, macro, end = found
        self._mean(name, partial(self._expand, macro) if macro else None)
        return GONE, end

    def _mean(self, name: str, meaning: Meaning | None) -> None:
        if name in self._kept or "@" in name:
            return
        if meaning is None:
            self._known.pop(name, None)
        else:
            self._known[name] = meaning

    def _let(self, text: str, start: int) -> Replaced:
        found = macros.alias(text, start)
        if found is None:
            return None
        name, target, end = found
        other = None if "@" in target else partial(self._expand, Macro((f"\\{target}",)))
        self._mean(name, self._known.get(target, other))
        return GONE, end

    def _newif(self, text: str, start: int) -> Replaced:
        found = conditionals.NEW.match(text, start)
        if found is None:
            return None
        self._mean(f"if{found[1]}", partial(self._branch, False))
        for value in (True, False):
            self._mean(f"{found[1]}{str(value).lower()}", partial(self._switch, f"if{found[1]}", value))
        return GONE, found.end()

    def _switch(self, name: str, value: bool, text: str, start: int) -> Replaced:
        self._known[name] = partial(self._branch, value)
        return GONE, start

    def _branch(self, holds: bool, text: str, start: int) -> Replaced:
        found = conditionals.branches(text, start, self._budget)
        if found is None or self._depth >= _DEEPEST:
            return None
        return GONE + self._again(found[0] if holds else found[1]) + GONE, found[2]

    def _title(self, form: str, index: int, text: str, start: int) -> Replaced:
        found = arguments(text, start, form, self._budget)
        if found is None:
            return None
        self.title = self.title or self._again(found[0][index] or "")
        return GONE, found[1]

    def _twocolumn(self, text: str, start: int) -> Replaced:
        """Keep what stands over both columns, a title and perhaps an abstract."""
        above, end = optional(text, start, self._budget)
        return GONE + self._again(above or "") + GONE, end

    def _ensuremath(self, text: str, start: int) -> Replaced:
        """Take it away in mathematics: macros for symbols are full of it."""
        found = arguments(text, start, "m", self._budget)
        if found is None:
            return None
        outer = self._ensured
        self._ensured = True
        inner = self._again(found[0][0] or "")
        self._ensured = outer
        return inner if outer or self._mathematics.at(self._place) else f"\\ensuremath{{{inner}}}", found[1]

    def _begin(self, text: str, start: int) -> Replaced:
        found = _ENVIRONMENT.match(text, start)
        name = found[1] if found else ""
        if name in commands.LAST_ENVIRONMENTS:
            return self._last(text, start)
        if found is None or name not in commands.DROPPED_ENVIRONMENTS:
            return None
        closing = f"\\end{{{name}}}"
        end = text.find(closing, found.end())
        self._budget.spend((end if end >= 0 else len(text)) - start)
        return (GONE, end + len(closing)) if end >= 0 else None

    def _end(self, text: str, start: int) -> Replaced:
        found = _ENVIRONMENT.match(text, start)
        ends = found[1] == "document" if found else "{" not in text[start : start + 10]
        return self._last(text, start) if ends else None

    def _last(self, text: str, start: int) -> Replaced:
        if self._defining:
            return None
        self.ended = True
        return "", len(text)

    def _usepackage(self, text: str, start: int) -> Replaced:
        found = arguments(text, start, "omo", self._budget)
        if found is None:
            return None
        for name in (found[0][1] or "").split(","):
            package = self._packages(name.strip()) if name.strip() not in self._seen else None
            if package:
                self._seen.add(name.strip())
                self._allow(len(package))
                self._again(package)
        return GONE, found[1]


def _grouped(text: str, last: int, start: int, replaced: str) -> str:
    """Return what a command became, in braces if it is the argument of the command before it."""
    if replaced.startswith((GONE, "{")) or not text[start - 1 : start].isalpha():
        return replaced
    before = macros.command_at_end(text[max(last, start - 40) : start])
    return f"{{{replaced}}}" if before in commands.WITH_ARGUMENT else replaced
