"""The files of one paper: looked up by name among themselves only, put together as the main file says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from posixpath import dirname, join, normpath

from hominis.corpus.latex.comments import without_comments
from hominis.corpus.latex.encoding import declared, decoded

_NAME = r"[^{}\n\x00]{1,200}"
_INPUT = re.compile(
    rf"\\(?:(endinput)(?![a-zA-Z@])|(?:sub)?(?:import|includefrom|inputfrom)\*?\{{({_NAME})\}}\{{({_NAME})\}}"
    rf"|(?:input|include|subfile|subfileinclude)(?:[ \t]{{0,9}}\{{({_NAME})\}}|[ \t]{{1,9}}([^\s\\{{}}\x00]{{1,200}})))"
)
_TEX = (".tex", ".ltx", ".latex")
_STYLES = (".sty",)
_DEEPEST = 16
_LONGEST_UNNAMED = 2**21

BEGIN = re.compile(r"\\(?:begin\s{0,9}\{document\}|document(?![a-zA-Z]))")
_END = re.compile(r"\\(?:end\s{0,9}\{document\}|enddocument(?![a-zA-Z]))")


def is_tex(name: str) -> bool:
    """Say whether a file may hold a paper's text; the earliest papers' files have no ending."""
    base = name.rpartition("/")[2].lower()
    return base.endswith(_TEX) or "." not in base


def is_source(name: str) -> bool:
    """Say whether a file is LaTeX by its ending."""
    return name.lower().endswith((*_TEX, *_STYLES))


def is_wanted(name: str, size: int) -> bool:
    """Say whether a file matters to a paper's text; a long one without an ending holds data."""
    base = name.rpartition("/")[2].lower()
    if "." not in base:
        return size <= _LONGEST_UNNAMED
    return base.endswith((*_TEX, *_STYLES)) or base.startswith("00readme")


class Files:
    """A paper's files by their normalised names; those whose names lead outside aren't there.

    Args:
        contents: path → content.
        limit: characters of a text put together from which nothing more is put in.

    Attributes:
        kept: the verbatim pieces of their texts.
        used: the names of those that a text was made of.
        in_8_bits: the names of those read that aren't UTF-8.
    """

    def __init__(self, contents: Mapping[str, bytes], limit: int) -> None:
        self.contents = {name: content for path, content in contents.items() if (name := _normal(path))}
        self.kept: list[str] = []
        self._limit = limit
        self._texts: dict[str, str] = {}
        self.used: set[str] = set()
        self.in_8_bits: set[str] = set()

    @cached_property
    def codec(self) -> str:
        """The 8-bit encoding of those files that aren't UTF-8: what one of them declares holds for all."""
        found = [declared(content) for content in self.contents.values() if b"inputenc" in content]
        return found[0] if found else "cp1252"

    @property
    def names(self) -> list[str]:
        """The names of the files that may hold text, in order."""
        return sorted(name for name in self.contents if is_tex(name))

    def text(self, name: str) -> str:
        """Return a file's text without comments."""
        if name not in self._texts:
            text, utf_8 = decoded(self.contents[name], self.codec)
            self._texts[name] = without_comments(text, self.kept)
            if not utf_8:
                self.in_8_bits.add(name)
        return self._texts[name]

    def package(self, name: str) -> str | None:
        """Return the text of a style file of the paper's own."""
        path = _normal(f"{name}.sty")
        return self.text(path) if path in self.contents else None

    def inputs(self, name: str) -> set[str]:
        """Return the names of the files that a file puts in."""
        asked = (self._asked(found, dirname(name), name) for found in _INPUT.finditer(self.text(name)))
        return {found for found in asked if found}

    def whole(self, main: str) -> str:
        r"""Return the main file with what it puts in by ``\input``, ``\include``, ``\subfile``, ``\import``, resolved.

        Names are taken from the main file's folder, then from that of the file that asks. What isn't there, asks for
        itself or goes beyond the limit is left out.
        """
        out: list[str] = []
        self._gather(main, dirname(main), (main,), out, self._limit)
        return "".join(out)

    def _gather(self, name: str, root: str, path: tuple[str, ...], out: list[str], left: int) -> int:
        text = self.text(name)
        self.used.add(name)
        if len(path) > 1:
            text = _inner(text)
        last = 0
        for found in _INPUT.finditer(text):
            if left <= 0:
                break
            out.append(text[last : found.start()])
            left -= found.start() - last + 20
            last = found.end()
            if found[1]:
                return left
            asked = self._asked(found, root, name)
            if asked and asked not in path and len(path) <= _DEEPEST:
                left = self._gather(asked, root, (*path, asked), out, left)
            elif (found[4] or found[5] or "").endswith(".bbl"):
                out.append("\\bibliography{}")
        out.append(text[last:][: max(left, 0)])
        return left - (len(text) - last)

    def _asked(self, found: re.Match[str], root: str, asking: str) -> str | None:
        if found[1]:
            return None
        target = join(found[2].strip(), found[3].strip()) if found[2] else (found[4] or found[5]).strip().strip('"')
        for folder in dict.fromkeys((root, dirname(asking))):
            for ending in (".tex", ""):
                path = _normal(join(folder, target + ending))
                if path in self.contents:
                    return path
        return None


def _inner(text: str) -> str:
    begin = BEGIN.search(text)
    if begin is None:
        return text
    end = _END.search(text, begin.end())
    return text[begin.end() : end.start() if end else len(text)]


def _normal(path: str) -> str:
    name = normpath(path)
    return "" if name.startswith(("/", "../")) or name in ("..", ".") else name
