"""Which language a file of code is in: by its name, its first line, and what tells apart those that share an ending.

``languages.csv`` has the names that GitHub's linguist gives to languages (``Python``, ``C++``), what kind of text
they are, and how their files are named; ``ambiguous.toml`` the endings that several share.
"""

from __future__ import annotations

import csv
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_PROBE_CHARS = 8192
_SHEBANG = re.compile(r"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+|\w+=\S*[ \t]+)*(?:\S*/)?)?([\w.+-]+)")
_MODELINE = re.compile(r"-\*-.*?\bmode:[ \t]*([\w+#-]+)|-\*-[ \t]*([\w+#-]+)[ \t]*-\*-")
_VERSION = re.compile(r"[-\d.]+$")

Tries = tuple[tuple[str, re.Pattern[str]], ...]


class _Names(NamedTuple):
    kinds: dict[str, str]
    endings: dict[str, str]
    files: dict[str, str]
    interpreters: dict[str, str]


def language(path: str, text: str, stated: str | None = None) -> str | None:
    """Return the language of a file, as linguist names it; None if it is none that is known.

    Args:
        path: its path in the repository; may be empty.
        text: what it holds.
        stated: the language that a dataset gives, taken where path and text don't tell.
    """
    known = _names()
    name = path.rpartition("/")[2]
    by_name = known.files.get(name) or _by_ending(name, text)
    return by_name or _by_first_line(text) or (stated if stated in known.kinds else None)


def kind(language: str | None) -> str:
    """Return ``code``, ``prose``, ``markup`` or ``data``; code for a language that isn't in the table."""
    return _names().kinds.get(language or "", "code")


def _by_ending(name: str, text: str) -> str | None:
    stem, dot, last = name.rpartition(".")
    if not dot:
        return None
    ending = f".{last}".lower()
    probe = text[:_PROBE_CHARS]
    for language, pattern in _ambiguous().get(ending, ()):
        if pattern.search(probe):
            return language
    if ending in (".in", ".tmpl", ".template", ".erb", ".dist", ".sample", ".example"):
        return _by_ending(stem, text)
    return _names().endings.get(ending) or _names().files.get(stem)


def _by_first_line(text: str) -> str | None:
    first = text[:256].partition("\n")[0]
    known = _names()
    if found := _SHEBANG.match(first):
        command = found[1]
        return known.interpreters.get(command) or known.interpreters.get(_VERSION.sub("", command))
    if "-*-" in first and (mode := _MODELINE.search(first)):
        return _modes().get((mode[1] or mode[2]).lower())
    return "PHP" if first.startswith("<?php") else None


@cache
def _modes() -> dict[str, str]:
    plain = {name.lower(): name for name in _names().kinds}
    return {**plain, "sh": "Shell", "cperl": "Perl", "js": "JavaScript", "js2": "JavaScript", "lisp": "Common Lisp"}


@cache
def _names() -> _Names:
    names = _Names({}, {}, {}, {})
    for row in csv.DictReader(files(__package__).joinpath("languages.csv").read_text("utf-8").splitlines()):
        language = row["language"]
        names.kinds[language] = row["kind"]
        names.endings.update(dict.fromkeys(row["extensions"].split(), language))
        names.files.update(dict.fromkeys(row["names"].split(), language))
        names.interpreters.update(dict.fromkeys(row["interpreters"].split(), language))
    return names


@cache
def _ambiguous() -> dict[str, Tries]:
    found: dict[str, Tries] = {}
    for row in tomllib.loads(files(__package__).joinpath("ambiguous.toml").read_text("utf-8"))["extension"]:
        tries = tuple((entry["language"], re.compile(entry["pattern"], re.MULTILINE)) for entry in row["languages"])
        found.update(dict.fromkeys(row["names"], tries))
    return found
