"""The rows of the table of sources that describe files at hand, so that nobody writes hashes by hand."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from hominis.config.corpus import Source
from hominis.config.redpajama import ENDINGS
from hominis.errors import InputError

_FOLDERS = ("quality_signals", "duplicates", "minhash")
_LEFT_OUT = {"include", "licences", "text_field"}
"""Columns that say nothing of these files."""

LICENCE = "LicenseRef-Common-Crawl-Terms-of-Use"
"""Of RedPajama-v2's text: it is Common Crawl's."""


def redpajama(
    root: Path, corpus: str, snapshots: Sequence[str], languages: Sequence[str], buckets: Sequence[str]
) -> Iterator[Source]:
    """Yield the rows of a mirror of RedPajama-v2: each file of documents and what is published about it.

    Args:
        root: the folder that has ``documents``, and perhaps ``quality_signals``, ``duplicates`` and ``minhash``.
        snapshots: those to take; none: all, and so for languages and buckets (head, middle, tail).

    Raises:
        InputError: it has no such documents.
    """
    found = False
    for path in sorted((root / "documents").glob("*/*/*.json.gz")):
        stem, shard, snapshot = path.name.removesuffix(".json.gz"), path.parent.name, path.parent.parent.name
        language, _, bucket = stem.partition("_")
        asked = ((snapshot, snapshots), (language, languages), (bucket, buckets))
        if not all(not chosen or name in chosen for name, chosen in asked):
            continue
        found = True
        name = f"rpv2-{snapshot}-{shard}-{stem}".lower()
        yield _row(path, name, corpus, revision=f"{snapshot}/{shard}", format="redpajama")
        for folder, ending in zip(_FOLDERS, ENDINGS, strict=True):
            about = root / folder / snapshot / shard / (stem + ending)
            if about.is_file():
                yield _row(about, f"{name}-{folder}", corpus, of=name)
    if not found:
        raise InputError(
            "no such documents of RedPajama-v2",
            where=root / "documents",
            remedy="it should hold <snapshot>/<shard>/<language>_<bucket>.json.gz; look at what was asked for",
        )


def _row(path: Path, name: str, corpus: str, **more: str) -> Source:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    where = {"kind": "file", "locator": str(path.resolve()), "file": path.name}
    given = {"name": name, "corpus": corpus, "sha256": sha256, "bytes": path.stat().st_size, "licence": LICENCE}
    return Source.model_validate({**given, **where, **more})


def write(rows: Iterable[Source], stream: IO[str]) -> None:
    """Write a table of sources."""
    table = csv.DictWriter(stream, [name for name in Source.model_fields if name not in _LEFT_OUT])
    table.writeheader()
    for row in rows:
        cells = row.model_dump(mode="json", exclude=_LEFT_OUT)
        table.writerow({**cells, "optional": ""})
