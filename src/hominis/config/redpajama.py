"""What the rows of RedPajama-v2's files in the table of sources must say of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hominis.config.corpus import Source

ENDINGS = (".signals.json.gz", ".duplicates.parquet", ".minhash.parquet")
"""Of the files about the documents of ``<language>_<bucket>.json.gz``."""

_SHARD = re.compile(r"[^/\s]+/[^/\s]+")


def problem(sources: Sequence[Source]) -> str:
    """Return what is wrong with the rows of RedPajama-v2's files; empty if nothing is."""
    holders = {source.name: source for source in sources if source.format == "redpajama"}
    seen: dict[tuple[str, ...], str] = {}
    for source in sources:
        found = _about(source, holders) if source.of else _documents(source)
        about = (source.of, _ending(source)) if source.of else (source.revision, source.file)
        if not found and (source.of or source.name in holders) and about in seen:
            found = f"source {seen[about]} has the same {' '.join(about)}"
        seen.setdefault(about, source.name)
        if found:
            return f"source {source.name}: {found}"
    return ""


def _documents(source: Source) -> str:
    if source.format == "redpajama" and not _SHARD.fullmatch(source.revision):
        return f"revision {source.revision!r} isn't <snapshot>/<shard>, such as 2023-06/0000: ids of documents need it"
    return ""


def _about(source: Source, holders: dict[str, Source]) -> str:
    if source.of not in holders:
        return f"of {source.of!r} is no source of format redpajama"
    if source.format:
        return f"format {source.format!r}: a file that is of another holds no documents, leave it empty"
    stem = holders[source.of].file.removesuffix(".json.gz")
    if source.file not in {stem + ending for ending in ENDINGS}:
        return f"file {source.file!r} isn't one of {', '.join(stem + ending for ending in ENDINGS)}"
    return ""


def _ending(source: Source) -> str:
    return next((ending for ending in ENDINGS if source.file.endswith(ending)), source.file)
