"""Which licences code may have: SPDX identifiers and expressions, as repositories and datasets spell them.

``licences.csv`` says of each identifier whether it is permissive and who judged so: the rating of the Blue Oak
Council's list, all of version 15 (blueoakcouncil.org/list, CC0-1.0), with which The Stack v2 begins too (Lozhkov et al.
2024, arXiv:2402.19173, section 2.1 and appendix A.4; it adds ScanCode's permissive ones). For what isn't on that list:
the Open Source Initiative, the FSF or Creative Commons. Aliases are in lower case.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from hominis.errors import ConfigError

UNKNOWN, NOT_PERMISSIVE = "licence_unknown", "licence_not_permissive"
_ANY_WILL_DO, _ALL_HOLD = ("", UNKNOWN, NOT_PERMISSIVE), (NOT_PERMISSIVE, UNKNOWN, "")


class Verdict(NamedTuple):
    """What a licence comes to: its SPDX expression, None if it has none, and why it can't be used, if so."""

    spdx: str | None
    problem: str = ""


class Licences:
    """The licences that are allowed.

    Args:
        allowed: SPDX identifiers; none: those that the table holds to be permissive.

    Raises:
        ConfigError: an identifier isn't in the table.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        known, permissive = _table()
        given = {name: known.get(name.casefold()) for name in allowed}
        if strange := sorted(name for name, spdx in given.items() if spdx is None):
            raise ConfigError(
                f"unknown licence {strange[0]!r}", where="licences", remedy="use SPDX identifiers, such as Apache-2.0"
            )
        self._allowed = {spdx for spdx in given.values() if spdx} or permissive
        self._known = known
        self._one = lru_cache(4096)(self._judged)

    def verdict(self, stated: str | Sequence[str] | None) -> Verdict:
        """Judge a licence, an SPDX expression, or a list of licences of which all hold."""
        names = [stated] if isinstance(stated, str) else stated or []
        found = [self._one(name) for name in dict.fromkeys(names) if name.strip()]
        return _joined(found, "AND", _ALL_HOLD) if found else Verdict(None, UNKNOWN)

    def _judged(self, name: str) -> Verdict:
        spdx = self._known.get(name.strip().casefold())
        return self._identifier(spdx) if spdx else self._expression(name)

    def _identifier(self, spdx: str) -> Verdict:
        return Verdict(spdx, "" if spdx in self._allowed else NOT_PERMISSIVE)

    def _expression(self, text: str) -> Verdict:
        words = _Words(re.findall(r"[()]|[^\s()/]+", text.replace("/", " OR ")))
        try:
            verdict = self._either(words)
        except (StopIteration, RecursionError):
            return Verdict(None, UNKNOWN)
        return verdict if words.next is None else Verdict(None, UNKNOWN)

    def _either(self, words: _Words) -> Verdict:
        """Any licence of an OR will do: the user chooses."""
        choices = [self._both(words)]
        while words.take("or"):
            choices.append(self._both(words))
        return _joined(choices, "OR", _ANY_WILL_DO)

    def _both(self, words: _Words) -> Verdict:
        """All licences of an AND hold at once."""
        terms = [self._term(words)]
        while words.take("and"):
            terms.append(self._term(words))
        return _joined(terms, "AND", _ALL_HOLD)

    def _term(self, words: _Words) -> Verdict:
        if words.take("("):
            inner = self._either(words)
            if not words.take(")"):
                raise StopIteration
            return inner
        word = words.pop()
        exception = words.pop() if words.take("with") else ""
        spdx = self._known.get(word.casefold()) or self._known.get(word.removesuffix("+").casefold())
        if not spdx:
            return Verdict(None, UNKNOWN)
        verdict = self._identifier(spdx)  # an exception only adds permissions
        return verdict._replace(spdx=f"{spdx} WITH {exception}") if exception else verdict


class _Words:
    """The words of an expression, one after another."""

    def __init__(self, words: Iterable[str]) -> None:
        self._rest: Iterator[str] = iter(words)
        self.next = next(self._rest, None)

    def take(self, word: str) -> bool:
        """Go on if this is the next word."""
        found = self.next is not None and self.next.casefold() == word
        if found:
            self.next = next(self._rest, None)
        return found

    def pop(self) -> str:
        """Return the next word; StopIteration if there is none or it is no name."""
        word = self.next
        if word is None or word.casefold() in ("(", ")", "and", "or", "with"):
            raise StopIteration
        self.next = next(self._rest, None)
        return word


def _joined(verdicts: Sequence[Verdict], operator: str, strongest: Sequence[str]) -> Verdict:
    """Return the first problem of ``strongest`` that a verdict has, and an expression of the known licences."""
    if len(verdicts) == 1:
        return verdicts[0]
    problems = {verdict.problem for verdict in verdicts}
    names = dict.fromkeys(_enclosed(verdict.spdx) for verdict in verdicts if verdict.spdx)
    return Verdict(f" {operator} ".join(names) or None, next(problem for problem in strongest if problem in problems))


def _enclosed(spdx: str) -> str:
    return f"({spdx})" if " OR " in spdx or " AND " in spdx else spdx


@cache
def _table() -> tuple[dict[str, str], frozenset[str]]:
    """Return identifiers by every spelling in lower case, and those that are permissive."""
    known: dict[str, str] = {}
    permissive = set()
    for row in csv.DictReader(files(__package__).joinpath("licences.csv").read_text("utf-8").splitlines()):
        spellings = [row["id"].casefold(), *(name for name in row["aliases"].split(";") if name)]
        known.update(dict.fromkeys(spellings, row["id"]))
        if row["permissive"] == "yes":
            permissive.add(row["id"])
    return known, frozenset(permissive)
