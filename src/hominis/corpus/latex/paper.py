"""A paper's text and title from its LaTeX files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hominis.corpus.latex.body import Body
from hominis.corpus.latex.files import BEGIN, Files
from hominis.corpus.latex.mainfile import main_files, roots
from hominis.corpus.latex.marks import GONE, HELD, HOLD, tidy

_BREAK = re.compile(r"\\\\(?:\[[^][]{0,40}\])?|~|" + GONE)
_FONT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|sc|tt)|bf|it|rm|sf|sc|tt|em|emph|large|Large|LARGE|huge|Huge|boldmath|bfseries|itshape"
    r"|scshape|sffamily|normalsize|protect|uppercase)(?![a-zA-Z])\s?"
)
_LONGEST_TITLE = 500


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: the name of its main file, its text and title; or why it has none, and how a file of it begins.

    ``utf_8`` is false if the encoding of one of its files was declared or guessed.
    """

    main: str
    text: str = ""
    title: str = ""
    reason: str = ""
    utf_8: bool = True


def paper(contents: Mapping[str, bytes], limit: int) -> Paper:
    """Return the paper that files make; the reason ``no_main_file`` if none of them begins a document.

    Args:
        contents: path → content.
        limit: characters that its text has at most when put together; what goes beyond is cut off.
    """
    files = Files(contents, limit)
    found = [_read(files, main) for main in main_files(files)]
    if not found:
        return _none(files, max(files.names, key=lambda name: len(files.contents[name]), default=""))
    return Paper(found[0].main, "\n\n".join(part.text for part in found), found[0].title, utf_8=found[-1].utf_8)


def papers(contents: Mapping[str, bytes], limit: int) -> Iterator[Paper]:
    """Yield every paper in a project's files, in the order of their names; then the files that no paper uses."""
    files = Files(contents, limit)
    for main in sorted(roots(files)):
        yield _read(files, main)
    for name in files.names:
        if name not in files.used:
            yield _none(files, name)


def _read(files: Files, main: str) -> Paper:
    whole = files.whole(main)
    body = Body(len(whole), files.package)
    begin = BEGIN.search(whole)
    if begin:
        body.define(whole[: begin.start()])
    text = body.read(whole[begin.end() :] if begin else whole)
    return Paper(main, tidy(text, files.kept), _plain(body.title), utf_8=not files.in_8_bits & files.used)


def _none(files: Files, name: str) -> Paper:
    text = tidy(files.text(name), files.kept) if name else ""
    return Paper(name, text, reason="no_main_file")


def _plain(title: str) -> str:
    r"""Return a title in one line, without fonts and, outside mathematics, braces."""
    parts = _FONT.sub("", _BREAK.sub(" ", HELD.sub("", title[: 4 * _LONGEST_TITLE]))).split("$")
    for index in range(0, len(parts), 2):
        parts[index] = parts[index].replace("{", "").replace("}", "")
    return " ".join("$".join(parts).replace(HOLD, "").split())[:_LONGEST_TITLE]
