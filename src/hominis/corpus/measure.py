"""The signals of files of documents, file by file, in bounded memory: what ``hominis signals`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from hominis.corpus.pipeline import batched
from hominis.corpus.readers.archives import BROKEN
from hominis.corpus.readers.lines import Line, objects
from hominis.corpus.readers.records import line_limit, text_record
from hominis.corpus.readers.rejects import Rejects
from hominis.corpus.spans import Document, published, shard_of
from hominis.errors import InputError


def measured(
    path: Path, text_field: str, limit: int, domains: Mapping[str, int], rejects: Rejects
) -> Iterator[Iterator[bytes]]:
    """Yield a line of JSON, in pieces, for each document of a file of JSON lines, compressed or not.

    Args:
        text_field: the field of the text.
        limit: the longest document in bytes.
        domains: as ``spans.published`` takes them.
        rejects: receives the lines that hold no document.

    Raises:
        InputError: the file is damaged.
    """
    documents = _documents(path, text_field, limit, rejects)
    for held in batched(documents, lambda document: len(document.text)):
        yield from published(held, domains)


def _documents(path: Path, text_field: str, limit: int, rejects: Rejects) -> Iterator[Document]:
    shard = shard_of(path)
    for line in _read(path, limit):
        record = text_record(line, f"{path.name}:{line.number}", text_field)
        text = record.text if isinstance(record.text, str) else ""
        reason = record.reason or ("too_large" if len(text.encode()) > limit else "")
        if reason:
            rejects.add(reason, record.path, record.text)
        else:
            yield Document(f"{shard}/{line.number}", text, line.value or {})


def _read(path: Path, limit: int) -> Iterator[Line]:
    try:
        yield from objects(path, line_limit(limit))
    except BROKEN as error:
        remedy = "compare the file with its publisher's and fetch it again"
        raise InputError(f"{path.name} is damaged: {error}", where=path, remedy=remedy) from error
