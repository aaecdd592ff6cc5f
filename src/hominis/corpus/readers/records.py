"""The records of files that hold one document a record, in the file's own order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hominis.corpus.readers.archives import decompressed
from hominis.errors import InputError

Record = tuple[str, str | bytes | None, str]
"""A record's path, its text (str or UTF-8 bytes), and why it has none: empty, or the name of a reason."""


def json_lines(path: Path, field: str, limit: int) -> Iterator[Record]:
    """Yield the text ``field`` of every line; the path is the file's name and the line's index."""
    with path.open("rb") as file, decompressed(file, path.name) as lines:
        for index, line in enumerate(lines):
            text, reason = _text_of(line, field, limit)
            yield f"{path.name}:{index}", text, reason


def _text_of(line: bytes, field: str, limit: int) -> tuple[str | None, str]:
    if len(line) > 8 * limit:  # JSON may escape a byte of text as \u0000 and the record has other fields
        return None, "too_large"
    try:
        record: Any = json.loads(line)
    except UnicodeDecodeError:
        return None, "not_utf8"
    except ValueError:
        return None, "empty" if not line.strip() else "not_json"
    except RecursionError:
        return None, "not_json"
    text = record.get(field) if isinstance(record, dict) else None
    return (text, "") if isinstance(text, str) else (None, "no_text")


def parquet(path: Path, field: str) -> Iterator[Record]:
    """Yield the text column of a Parquet file; the path is the file's name and the row's index.

    Raises:
        InputError: it has no such column, or the column doesn't hold strings.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        if field not in names:
            raise InputError(f"no column {field!r}", where=path, remedy=f"set text_field to one of {', '.join(names)}")
        kind = file.schema_arrow.field(field).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(f"column {field!r} holds {kind}, not text", where=path, remedy="set text_field")
        index = 0
        for batch in file.iter_batches(batch_size=1024, columns=[field]):
            for text in batch.column(0).to_pylist():
                yield f"{path.name}:{index}", text, "" if text is not None else "no_text"
                index += 1


def plain(path: Path, limit: int) -> Iterator[Record]:
    """Yield the whole file as one document."""
    with path.open("rb") as file, decompressed(file, path.name) as stream:
        content = stream.read(limit + 1)
        yield path.name, content, "" if len(content) <= limit else "too_large"
