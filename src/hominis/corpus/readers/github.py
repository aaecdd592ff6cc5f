"""Code: datasets of GitHub in JSON lines or Parquet, and archives, source distributions and wheels among them.

What is no code that people wrote and that may be used is dropped, with a reason: its licence, or a named rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hominis.corpus.code.contents import by_content
from hominis.corpus.code.fields import COLUMNS, Stated, stated, text_name
from hominis.corpus.code.file import File
from hominis.corpus.code.licences import Licences
from hominis.corpus.code.rules import by_head, by_path
from hominis.corpus.readers import archives, columns
from hominis.corpus.readers.lines import JSON_LINES, objects
from hominis.corpus.readers.records import Chosen, Reading, Record, line_limit, text_record
from hominis.corpus.readers.rejects import BEGINNING
from hominis.errors import InputError

_OWN_LICENCE = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() \t-]+)")
_HEAD_CHARS = 4096

Row = tuple[Record, Stated]
"""What was read, and what the file that it was read from says of it."""


def records(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the files of code of a dataset or an archive; with a reason, those that are dropped.

    A file's licence is what it says itself after ``SPDX-License-Identifier:``, else what the dataset says of its
    repository, or the source's row of an archive. Its ``language`` is a programming language, as GitHub names it.
    Reasons: ``licence_unknown``, ``licence_not_permissive``, ``language_unknown``, ``vendored``, ``generated``,
    ``minified``, ``exported``, ``data``, ``legal``, ``link``.

    Raises:
        InputError: the file is of no known format, or has no column of texts.
        ConfigError: an identifier among the source's ``licences`` is unknown.
    """
    licences = Licences(reading.licences)
    wanted = archives.included(reading.include)
    for record, about in _rows(path, reading, limit, wanted):
        if record.reason or record.text is None:
            yield record
        elif (not about.path or wanted(about.path)) and chosen.take(record.path):
            yield record if chosen.known else _checked(record, about, licences)


def _rows(path: Path, reading: Reading, limit: int, wanted: archives.Wanted) -> Iterator[Row]:
    if path.name.lower().endswith(JSON_LINES):
        return _lines(path, reading, limit)
    if path.name.lower().endswith(".parquet"):
        return _columns(path, reading)
    members = archives.members(path, wanted, limit)
    if members is None:
        known = ", ".join((*JSON_LINES, ".parquet", *(ending for endings in archives.ARCHIVES for ending in endings)))
        raise InputError(f"no reader of code for {path.name}", where=path, remedy=f"known: {known}")
    return ((Record(name, content), Stated(name, licences=(reading.licence,))) for name, content in members)


def _lines(path: Path, reading: Reading, limit: int) -> Iterator[Row]:
    for line in objects(path, line_limit(limit)):
        value = line.value or {}
        about = stated(value)
        where = _where(about, f"{path.name}:{line.number}")
        yield text_record(line, where, text_name(value, reading.text_field)), about


def _columns(path: Path, reading: Reading) -> Iterator[Row]:
    found = columns.rows(path, lambda names: text_name(names, reading.text_field), COLUMNS)
    for index, (content, row) in enumerate(found):
        about = stated(row)
        yield Record(_where(about, f"{path.name}:{index}"), content, "no_text" if content is None else ""), about


def _where(about: Stated, row: str) -> str:
    return f"{about.repository}/{about.path}" if about.repository and about.path else row


def _checked(record: Record, about: Stated, licences: Licences) -> Record:
    """Return the record with what is known of it, or with the reason why it is dropped."""
    text = record.text if isinstance(record.text, str) else _decoded(record.text or b"")
    if text is None:
        return Record(record.path, record.text, "not_utf8")
    if not text.strip():
        return Record(record.path, text, "empty")
    own = _OWN_LICENCE.search(text, 0, _HEAD_CHARS)
    verdict = licences.verdict(own[1].strip(" \t-") if own else about.licences)
    file = File(about.path, text, about.language)
    if reason := verdict.problem or about.reason or _reason(file):
        return Record(record.path, text[:BEGINNING], reason)
    domain = "github.com" if about.url else None
    return Record(record.path, text, language=file.language, licence=verdict.spdx, domain=domain, url=about.url)


def _reason(file: File) -> str:
    rule = by_path(file.path) or by_head(file.text) or by_content(file)
    return rule.reason if rule else ""


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
