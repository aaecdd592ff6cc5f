"""The rows of the table of sources that describe files at hand, so that nobody writes hashes by hand."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from hominis.config.corpus import Source
from hominis.config.redpajama import ENDINGS
from hominis.corpus.folder import described, shown
from hominis.errors import ConfigError, InputError

_FOLDERS = ("quality_signals", "duplicates", "minhash")
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


def folders(paths: Sequence[Path], corpus: str, licence: str, name: str, **reading: object) -> Iterator[Source]:
    """Yield a row per folder: a checkout, an unpacked source distribution.

    Args:
        name: of the only one; empty: the folders' own names, as far as a source's can be like them.
        reading: ``format`` and ``include``, as rows of sources have them.

    Raises:
        InputError: a folder has no files, or one that cannot be read.
        ConfigError: a row would have a value that none can have.
    """
    for path in paths:
        called = name or re.sub(r"[^a-z0-9]*([a-z0-9._+-]*)", r"-\1", path.resolve().name.lower()).strip("-._+")
        sha256, size = described(path)
        given = {"sha256": sha256, "bytes": size, "licence": licence, "file": f"{called}.tar", **reading}
        yield _source(path, {"kind": "folder", "name": called, "corpus": corpus, **given})


def _row(path: Path, name: str, corpus: str, **more: str) -> Source:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    given = {"sha256": sha256, "bytes": path.stat().st_size, "licence": LICENCE, "file": path.name, **more}
    return _source(path, {"kind": "file", "name": name, "corpus": corpus, **given})


def _source(path: Path, given: dict[str, object]) -> Source:
    try:
        return Source.model_validate({"locator": str(path.resolve()), **given})
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"a source cannot have the {first['loc'][0]} {first['input']!r}: {first['msg']}"
        raise ConfigError(problem, where=shown(path), remedy="give another") from error


def write(rows: Iterable[Source], stream: IO[str]) -> None:
    """Write a table of sources."""
    table = csv.DictWriter(stream, [*Source.model_fields])
    table.writeheader()
    for row in rows:
        cells = {name: ";".join(cell) if isinstance(cell, tuple) else cell for name, cell in row}
        table.writerow({**cells, "optional": ""})
