"""RedPajama-v2 as published: its documents, and what is published about them.

``documents/<snapshot>/<shard>/<language>_<bucket>.json.gz`` holds the documents. Their ids are the file's path and the
line's index, unreadable lines counted; the other files name documents by id. Each file is a source of its own, the
documents' with the revision ``<snapshot>/<shard>``, the others ``of`` it:

* ``<language>_<bucket>.signals.json.gz``: quality signals, a document's as one span, ``[0, length, value]``;
* ``<language>_<bucket>.duplicates.parquet``: documents whose digest another one has, which is kept;
* ``<language>_<bucket>.minhash.parquet``: MinHash signatures, cut into bands for several similarities.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hominis.corpus.readers.lines import Line, objects, string
from hominis.corpus.readers.records import Chosen, Reading, Record, line_limit, text_record


def documents(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the documents of a file; language and score are taken from it."""

    def name(number: int) -> str:
        return f"{reading.revision}/{path.name}/{number}"

    for line in objects(path, line_limit(limit), wanted=lambda number: chosen.take(name(number))):
        yield _record(line, name(line.number))


def _record(line: Line, published: str) -> Record:
    document = line.value or {}
    score = document.get("language_score")
    language = string(document.get("language"))
    return text_record(
        line,
        published,
        "raw_content",
        id=published,
        language=language or None,
        language_score=float(score) if language and isinstance(score, int | float) and 0 <= score <= 1 else None,
        domain=string(document.get("source_domain")),
        url=string(document.get("url")),
        title=string(document.get("title")),
        digest=string(document.get("digest")),
    )
