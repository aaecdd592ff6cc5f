"""Rules that drop files by what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hominis.corpus.code.file import File
from hominis.corpus.code.rules import Rule

_REDPAJAMA = "RedPajama-v1, data_prep/github (Weber et al. 2024, arXiv:2411.12372)"
_CODEX = "Codex, section 3.1 (Chen et al. 2021, arXiv:2107.03374)"
_STARCODER = "StarCoder, section 3 (Li et al. 2023, arXiv:2305.06161)"
_STARCODER2 = "StarCoder2, section 2.1 (Lozhkov et al. 2024, arXiv:2402.19173)"
_ALL = f"{_CODEX}; {_STARCODER}; {_REDPAJAMA}"


class _Content(NamedTuple):
    rule: Rule
    drops: Callable[[File], bool]


_ASSEMBLIES = ("Assembly", "WebAssembly")  # StarCoder2 spares Motorola 68K alone, which is no language here
_TEXTS = ("readme", "notes", "todo", "description", "install", "changes", "changelog", "hacking", "news", "history")
_NOTEBOOK_CELL = "\n# In["


def _is_untold_text(file: File) -> bool:
    stem = file.name.partition(".")[0]
    return file.language == "Text" and "requirement" not in stem and stem not in _TEXTS


def _is_table_in_sql(file: File) -> bool:
    rows = sum(line.lstrip()[:11].upper().startswith(("INSERT INTO", "(")) for line in file.text.splitlines())
    return rows > 0.5 * file.lines and rows > 10


def _is_page_without_text(file: File) -> bool:
    return file.visible < 100 or file.visible < 0.2 * len(file.text)


RULES = (
    _Content(Rule("unknown", "language_unknown", f"{_REDPAJAMA}: a list of endings"), lambda f: f.language is None),
    _Content(
        Rule("notebook_script", "exported", "jupyter nbconvert --to script: what its template writes"),
        lambda f: f.text.count(_NOTEBOOK_CELL) > 1,
    ),
    _Content(
        Rule("source_map", "generated", "linguist: compiled scripts and styles name the map to their source"),
        lambda f: f.language in ("JavaScript", "CSS") and "sourceMappingURL=" in f.text[-300:],
    ),
    _Content(Rule("mean_line", "minified", _ALL), lambda f: f.kind == "code" and f.mean_line > 100),
    _Content(Rule("longest_line", "minified", _ALL), lambda f: f.kind == "code" and f.longest_line > 1000),
    _Content(Rule("alphanumeric", "data", _ALL), lambda f: f.alphanumeric < 0.25),
    _Content(Rule("alphabetic", "data", _STARCODER2), lambda f: f.alphabetic < 0.25 and f.language not in _ASSEMBLIES),
    _Content(
        Rule("encoded", "data", _STARCODER2),
        lambda f: f.longest_block > 1024 or f.encoded > 0.5,
    ),
    _Content(
        Rule("xml", "data", _STARCODER), lambda f: "<?xml version=" in f.text[:100].lower() and f.language != "XSLT"
    ),
    _Content(Rule("svg", "exported", "own: a drawing is no code"), lambda f: "<svg" in f.text[:200].lower()),
    _Content(Rule("visible_text", "data", _STARCODER), lambda f: f.language == "HTML" and _is_page_without_text(f)),
    _Content(Rule("configuration", "data", _STARCODER), lambda f: f.kind == "data" and not 50 <= len(f.text) <= 5000),
    _Content(Rule("text", "data", f"{_STARCODER2}, with more names"), _is_untold_text),
    _Content(
        Rule("inserted_rows", "data", "own: more than half of the lines are rows of a table"),
        lambda f: f.language in ("SQL", "PLpgSQL", "PLSQL", "TSQL") and _is_table_in_sql(f),
    ),
)
"""In the order in which they are asked. "own" are rules of this program."""


def by_content(file: File) -> Rule | None:
    """Return the rule that drops a file for what it holds."""
    return next((rule for rule, drops in RULES if drops(file)), None)
