"""Rules that drop files by their path or their first lines, from the table ``rules.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple

_HEAD_CHARS = 4096


class Rule(NamedTuple):
    """Why a file is dropped.

    Attributes:
        name: of the rule, unique.
        reason: under which the reader counts the file.
        source: who found the rule, or what it goes by.
    """

    name: str
    reason: str
    source: str


class _Paths(NamedTuple):
    directories: dict[str, Rule]
    names: dict[str, Rule]
    endings: dict[str, Rule]
    patterns: list[tuple[re.Pattern[str], Rule]]
    all_endings: tuple[str, ...]


class _Head(NamedTuple):
    rule: Rule
    lines: int
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


def by_path(path: str) -> Rule | None:
    """Return the rule that drops a file for where it is or how it is named."""
    known = _paths()
    *directories, name = path.lower().split("/")
    for directory in directories:
        if rule := known.directories.get(directory):
            return rule
    if rule := known.names.get(name):
        return rule
    if name.endswith(known.all_endings):
        return next(rule for ending, rule in known.endings.items() if name.endswith(ending))
    return next((rule for pattern, rule in known.patterns if pattern.fullmatch(name)), None)


def by_head(text: str) -> Rule | None:
    """Return the rule that drops a file for what its first lines say."""
    head = text[:_HEAD_CHARS]
    lowered = head.lower()
    heads, words = _heads()
    present = {word for word in words if word in lowered}
    if not present:
        return None
    found = (entry for entry in heads if present.intersection(entry.needs))
    return next((entry.rule for entry in found if entry.pattern.search(_first(head, entry.lines))), None)


def _first(head: str, lines: int) -> str:
    ends = islice(re.finditer(r"\n", head), lines - 1, None)
    return next((head[: end.start()] for end in ends), head)


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(row["name"], row["reason"], row["source"])


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8"))


@cache
def _paths() -> _Paths:
    found = _Paths({}, {}, {}, [], ())
    for row in _table()["path"]:
        rule = _rule(row)
        for given, rules in (("directories", found.directories), ("names", found.names), ("endings", found.endings)):
            rules.update(dict.fromkeys(row.get(given, ()), rule))
        if "pattern" in row:
            found.patterns.append((re.compile(row["pattern"]), rule))
    return found._replace(all_endings=tuple(found.endings))


@cache
def _heads() -> tuple[list[_Head], frozenset[str]]:
    """Return the rules and all words that they need."""
    flags = re.IGNORECASE | re.MULTILINE
    heads = [
        _Head(_rule(row), row["lines"], tuple(row["needs"]), re.compile(row["pattern"], flags))
        for row in _table()["head"]
    ]
    return heads, frozenset(word for head in heads for word in head.needs)
