"""Stage ``fetch``: the raw files, as published, byte for byte."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hominis.config.corpus import HERE, FetchSection, Source
from hominis.store.types import Inputs, Part, Scratch, Summary

_log = logging.getLogger(__name__)


def parts(section: FetchSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source, its row as params. Optional sources that cannot be had are left out and logged."""
    chosen = [source for source in section.sources if not section.only or {source.name, source.of} & set(section.only)]
    absent = _cannot_be_had([source for source in chosen if source.optional], section)
    for name, reason in sorted(absent.items()):
        _log.warning("left out: the optional source %s cannot be had on this machine: %s", name, reason)
    return [Part(source.name, _params(source)) for source in chosen if source.name not in absent]


def work(section: FetchSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write the source's raw file under its own name, and an optional one's copy into ``section.downloads``.

    Returns:
        Summary: of the row ``source``, ``corpus``, ``kind``, ``licence``, ``revision``, ``locator``, ``bytes`` and
        ``sha256``.

    Raises:
        InputError: the file cannot be had, or isn't the one that the row describes.
    """
    from hominis.corpus.download import raw_file

    row = next(source for source in section.sources if source.name == part.id)
    source = Source(name=part.id, optional=row.optional, **{"locator": row.locator, **part.params})
    raw_file(source, section.downloads, scratch)
    shown = ("corpus", "kind", "licence", "revision", "locator", "bytes", "sha256")
    return {"source": source.name, **{name: part.params.get(name, source.file) for name in shown}}


def _params(source: Source) -> dict[str, Any]:
    """Return what determines the bytes and how they are read; where something on this machine lies doesn't."""
    hidden = {"name", "optional", "note", *(["locator"] if source.kind in HERE else [])}
    return source.model_dump(mode="json", exclude=hidden)


def _cannot_be_had(optional: Sequence[Source], section: FetchSection) -> dict[str, str]:
    """Return the names of those that cannot, each with the reason."""
    from hominis.corpus.debian import refused

    remote = [source for source in optional if not (section.downloads / source.file).is_file()]
    debs = {(source.locator, source.revision): source.name for source in remote if source.kind == "deb"}
    gone = [source for source in remote if source.kind in HERE and not Path(source.locator).exists()]
    absent = {source.name: f"there is no {source.kind} {source.locator}" for source in gone}
    return absent | {debs[release]: reason for release, reason in refused(list(debs)).items()}
