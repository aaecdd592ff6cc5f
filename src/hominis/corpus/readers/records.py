"""What a reader yields, and the readers of files that hold one document a record, in the file's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hominis.corpus.readers.archives import decompressed
from hominis.corpus.readers.columns import rows
from hominis.corpus.readers.lines import Line, objects, string
from hominis.corpus.readers.rejects import BEGINNING, fields_of


class Record(NamedTuple):
    """One record of a raw file: a document, or the reason why there is none.

    Attributes:
        path: where in the file it is; unique in the file.
        text: str or UTF-8 bytes; None without ``reason``: longer than the limit. With a reason: how it begins.
        reason: why it is no document, one of few names; empty if it is one.
        id: as published; None: ``<source>/<path>``.
        language: ISO 639-1, if the file says it; then it isn't identified again.
        language_score: of the identification that the file reports, 0 to 1.
        licence: SPDX expression, if the file says it; else the source's.
        domain: the host that it was published by.
        url: its address.
        title: its title.
        digest: the publisher's of it.
        note: what was done about it, by one of few names; counted, the document is taken.
    """

    path: str
    text: str | bytes | None
    reason: str = ""
    id: str | None = None
    language: str | None = None
    language_score: float | None = None
    licence: str | None = None
    domain: str | None = None
    url: str | None = None
    title: str | None = None
    digest: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Reading:
    """What of a source's row tells how its file is read; the fields of ``Source`` describe them."""

    format: str = ""
    include: tuple[str, ...] = ()
    text_field: str = "text"
    revision: str = ""
    licence: str = ""
    licences: tuple[str, ...] = ()


class Chosen:
    """The documents to read again of a file that was read before; what let them in then isn't asked again.

    Args:
        paths: theirs, in the file's order; None: nothing was read before, and all are to be asked.
    """

    def __init__(self, paths: Iterable[str] | None) -> None:
        self.known = paths is not None
        self._paths = iter(() if paths is None else paths)
        self._next = next(self._paths, None)

    def take(self, path: str) -> bool:
        """Return whether the record of a path is wanted; to be asked once of each, in the file's order."""
        if not self.known:
            return True
        if path != self._next:
            return False
        self._next = next(self._paths, None)
        return True


def json_lines(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the text field of every line; the path is the file's name and the line's index."""

    def name(number: int) -> str:
        return f"{path.name}:{number}"

    for line in objects(path, line_limit(limit), wanted=lambda number: chosen.take(name(number))):
        yield text_record(line, name(line.number), reading.text_field)


def line_limit(limit: int) -> int:
    """Return how long a line may be, in bytes: JSON may write a byte as six, and a record has other fields, too."""
    return 8 * limit


def text_record(line: Line, path: str, field: str, **given: Any) -> Record:
    """Return the record of a line: its text ``field``, or why it has none; ``given`` is what else is known of it."""
    if line.value is None:
        return Record(path, line.beginning, line.reason)
    text = line.value.get(field)
    if not isinstance(text, str):
        return Record(path, fields_of(line.value), "no_text")
    if string(text) is None:
        return Record(path, text[:BEGINNING], "lone_surrogate")
    return Record(path, text, **given)


def parquet(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the text column of a Parquet file; the path is the file's name and the row's index.

    Raises:
        InputError: it has no such column, or the column doesn't hold strings.
    """
    for index, (text, _) in enumerate(rows(path, lambda _: reading.text_field)):
        if chosen.take(name := f"{path.name}:{index}"):
            yield Record(name, text, "" if text is not None else "no_text")


def plain(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the whole file as one document."""
    with path.open("rb") as file, decompressed(file, path.name) as stream:
        content = stream.read(limit + 1)
    if chosen.take(path.name):
        yield Record(path.name, content, "" if len(content) <= limit else "too_large")
