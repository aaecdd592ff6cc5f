"""Which of a paper's files is the paper."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from hominis.corpus.latex.files import BEGIN, Files

_CLASS = re.compile(r"\\document(?:class|style)(?![a-zA-Z])\s{0,9}(?:\[[^][]{0,500}\])?\s{0,9}\{\s{0,9}(\w{0,40})")
_PLAIN = re.compile(r"\\(?:bye|end)(?![a-zA-Z]|\s{0,9}\{)|\\input\s{0,9}\{?(?:harvmac|amstex|phyzzx|lanlmac)")
_PARTS = ("subfiles", "standalone")
_FIRST_NAMES = ("ms", "main", "paper", "article", "manuscript")
_LONGEST_README = 64 * 1024


def main_files(files: Files) -> list[str]:
    r"""Return the main file, or those that the authors named as such; none if no file can be one.

    By these rules, in order: what ``00README`` declares; files with ``\begin{document}`` that no other puts in, those
    with ``\documentclass`` or ``\documentstyle`` before others, then by name (``ms``, ``main``, ``paper``, …), by
    depth of folder, by length; files of plain TeX, which end with ``\bye`` or ``\end``, by the same order.
    """
    named = sorted(name for name in _declared(files) if name in files.contents)
    return named or roots(files)[:1]


def roots(files: Files) -> list[str]:
    """Return every file that can be a main one and that no other puts in, the likeliest first."""
    ignored = set(_of_usage(files, "ignore"))
    names = [name for name in files.names if name not in ignored]
    ranks = {name: rank for name in names if (rank := _rank(files, name)) is not None}
    inside = set().union(*(files.inputs(name) - {name} for name in names)) if len(names) > 1 else set()
    free = {name: rank for name, rank in ranks.items() if name not in inside} or ranks
    latex = {name: rank for name, rank in free.items() if rank[0] < 2} or free
    return sorted(latex, key=lambda name: latex[name])


def _rank(files: Files, name: str) -> tuple[int, int, int, int, str] | None:
    text = files.text(name)
    kind = _CLASS.search(text)
    if BEGIN.search(text) and not (kind and kind[1] in _PARTS):
        group = 0 if kind else 1
    elif not kind and _PLAIN.search(text):
        group = 2
    else:
        return None
    stem = name.rpartition("/")[2].partition(".")[0].lower()
    known = _FIRST_NAMES.index(stem) if stem in _FIRST_NAMES else len(_FIRST_NAMES)
    return group, known, name.count("/"), -len(text), name


def _declared(files: Files) -> list[str]:
    return _of_usage(files, "toplevelfile") or _of_usage(files, "toplevel")


def _of_usage(files: Files, usage: str) -> list[str]:
    """Return the files that the paper's ``00README`` (arXiv: lines, JSON or YAML) says are to be used so."""
    found: list[str] = []
    for name, content in files.contents.items():
        base = name.rpartition("/")[2].lower()
        if base.startswith("00readme") and len(content) <= _LONGEST_README:
            text = content.decode("utf-8", "replace")
            structured = base.endswith((".json", ".yaml", ".yml"))
            found += _in_structure(text, usage) if structured else _in_lines(text, usage)
    return found


def _in_lines(text: str, usage: str) -> Iterator[str]:
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1] == usage:
            yield words[0]


def _in_structure(text: str, usage: str) -> Iterator[str]:
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    sources = read.get("sources") if isinstance(read, dict) else None
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict) and source.get("usage") == usage and isinstance(source.get("filename"), str):
            yield source["filename"]
