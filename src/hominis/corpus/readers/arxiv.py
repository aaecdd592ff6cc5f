"""Papers: arXiv's bulk tars of sources, RedPajama-v1's JSON lines, LaTeX files in any archive.

A bulk tar (``arXiv_src_YYMM_NNN.tar``) holds ``YYMM/<id>.gz``, each a gzipped TeX file or a gzipped tar of a paper's
files, and ``YYMM/<id>.pdf`` where there are no sources (https://info.arxiv.org/help/bulk_data_s3.html). One paper is
in memory at a time, nothing is written to disk.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, cast

from hominis.corpus.latex.files import is_source, is_wanted
from hominis.corpus.latex.paper import Paper, paper, papers
from hominis.corpus.readers import archives, tars
from hominis.corpus.readers.lines import JSON_LINES, objects
from hominis.corpus.readers.records import Chosen, Reading, Record, line_limit, text_record
from hominis.errors import InputError

_LONGEST_PACKED = 128 * 2**20
_LONGEST_PROJECT = 256 * 2**20
_WHOLE = 4
"""How many times longer than a document a paper's files may be: comments, bibliography and preamble go."""

_MEMBER = re.compile(r"(?:^|/)(?:(\d{4}\.\d{4,5})|([a-z]+(?:-[a-z]+)?(?:\.[A-Z]{2})?)(\d{7}))(?:v\d+)?\.(gz|pdf)$")

_OTHER_KINDS = (
    (b"%PDF", "pdf"),
    (b"%!PS", "postscript"),
    (b"\xf7\x02", "dvi"),
    (b"<!DOCTYPE", "html"),
    (b"<html", "html"),
    (b"<HTML", "html"),
    (b"%auto-ignore", "withdrawn"),
)


def records(path: Path, reading: Reading, limit: int, chosen: Chosen) -> Iterator[Record]:
    """Yield the papers of a file as text: their bodies, without what is no text and with simple macros expanded.

    Reasons of those that aren't: ``pdf``, ``postscript``, ``dvi``, ``html``, ``withdrawn``, ``empty``,
    ``no_main_file``, ``too_large``, ``unpacks_too_far``, ``damaged``.
    """
    if path.name.lower().endswith(JSON_LINES):
        yield from (record for record in _published(path, reading, limit) if chosen.take(record.path))
        return
    wanted = archives.included(reading.include)
    members = archives.members(path, wanted, _LONGEST_PACKED)
    if members is None:
        with path.open("rb") as file, archives.decompressed(file, path.name) as stream:
            members = iter([(path.name.removesuffix(".gz"), stream.read(_WHOLE * limit + 1))])
    yield from _of_members(members, limit, chosen)


def _published(path: Path, reading: Reading, limit: int) -> Iterator[Record]:
    """Yield RedPajama-v1's records as they are: its text has no preambles, comments, macros and bibliographies."""
    for line in objects(path, line_limit(limit)):
        meta: Any = line.value.get("meta") if line.value else None
        found = {name: meta.get(name) for name in ("language", "url")} if isinstance(meta, dict) else {}
        given = {name: value for name, value in found.items() if isinstance(value, str) and value.isascii()}
        yield text_record(line, f"{path.name}:{line.number}", reading.text_field, domain="arxiv.org", **given)


def _of_members(members: Iterator[archives.Member], limit: int, chosen: Chosen) -> Iterator[Record]:
    project: dict[str, bytes] = {}
    left = _LONGEST_PROJECT
    for name, content in members:
        bulk = _MEMBER.search(name)
        if bulk:
            if not chosen.take(name):
                continue
            number = bulk[1] or f"{bulk[2]}/{bulk[3]}"
            yield _record(name, "pdf" if bulk[4] == "pdf" else _of_source(content, limit), number)
        elif is_source(name):
            left -= len(content or b"")
            if content is None or len(content) > _WHOLE * limit or left < 0:
                yield Record(name, content, "too_large")
            else:
                project[name] = content
    for found in papers(project, _WHOLE * limit):
        if chosen.take(found.main):
            yield _record(found.main, found)


def _record(path: str, found: Paper | str, number: str = "") -> Record:
    if isinstance(found, str):
        return Record(path, "", found)
    if found.reason:
        return Record(path, found.text, found.reason)
    record = Record(path, found.text, title=found.title or None, note="" if found.utf_8 else "read_as_8_bit")
    return record._replace(url=f"https://arxiv.org/abs/{number}", domain="arxiv.org") if number else record


def _of_source(content: bytes | None, limit: int) -> Paper | str:
    """Return the paper that a gzipped source holds, or the reason why there is none."""
    if content is None:
        return "too_large"
    try:
        with archives.decompressed(io.BytesIO(content), "source.gz") as stream:
            found = _files(stream, limit)
    except InputError:
        return "unpacks_too_far"
    except archives.BROKEN:
        return "damaged"
    return found if isinstance(found, str) else paper(found, _WHOLE * limit)


def _files(stream: IO[bytes], limit: int) -> dict[str, bytes] | str:
    head = stream.read(tarfile.BLOCKSIZE)
    if not _is_tar(head):
        whole = head + stream.read(_WHOLE * limit)
        begin = whole.lstrip()
        kind = next((kind for sign, kind in _OTHER_KINDS if begin.startswith(sign)), "" if begin else "empty")
        return kind or ({"main.tex": whole} if len(whole) <= _WHOLE * limit else "too_large")
    return _unpacked(cast("IO[bytes]", _Again(head, stream)), _WHOLE * limit)


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _unpacked(stream: IO[bytes], left: int) -> dict[str, bytes] | str:
    files: dict[str, bytes] = {}
    with closing(tars.opened(stream)) as archive:
        for member in archive:
            if member.isfile() and is_wanted(member.name, member.size):
                left -= member.size
                if left < 0:
                    return "too_large"
                content = archive.extractfile(member)
                files[member.name] = content.read() if content else b""
    return files


class _Again(io.RawIOBase):
    """A stream from its beginning after that was read."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        taken, self._head = self._head[:size], self._head[size:]
        return taken or self._rest.read(size)
