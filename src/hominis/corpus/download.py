"""Get a source's raw file: from a folder at hand or from where it is published; verify it either way."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.config.corpus import HERE, Source
from hominis.corpus import debian, folder, packages
from hominis.errors import InputError, Interrupted

if TYPE_CHECKING:
    from hominis.store.types import Scratch

_CORRECT = "if the file is meant to have changed, correct sha256 and bytes of the source's row"
_PACK_AGAIN = "the folder's files changed: `hominis sources folder` prints the row of the folder as it is now"


def raw_file(source: Source, downloads: Path, scratch: Scratch) -> Path:
    """Write the source's file into ``scratch.out`` and return its path.

    A download that was cut off is kept in ``scratch.checkpoints`` and continued by the next attempt. Of an optional
    source's a copy goes into ``downloads`` if that can be written: what is offered today may not be tomorrow.

    Raises:
        InputError: the file cannot be had, or its bytes are not those that the source's row promises.
    """
    target = scratch.out / source.file
    at_hand = downloads / source.file
    if at_hand.is_file() and mismatch(at_hand, source) is None:
        shutil.copyfile(at_hand, target)
    elif source.kind == "file":
        _copy(Path(source.locator), target)
    elif source.kind == "folder":
        _pack(source, target, scratch)
    else:
        shutil.move(_downloaded(source, scratch), target)
    if problem := mismatch(target, source):
        raise InputError(
            problem,
            where=f"source {source.name}: {source.locator} {source.revision}".rstrip(),
            remedy=_PACK_AGAIN if source.kind == "folder" else _CORRECT,
        )
    if source.optional and source.kind not in HERE and not at_hand.exists():
        with suppress(OSError):
            _keep(target, at_hand)
    return target


def _keep(path: Path, at_hand: Path) -> None:
    at_hand.parent.mkdir(parents=True, exist_ok=True)
    aside = at_hand.with_name(f".{at_hand.name}.{secrets.token_hex(8)}")
    try:
        shutil.copyfile(path, aside)
        aside.rename(at_hand)
    finally:
        aside.unlink(missing_ok=True)


def mismatch(path: Path, source: Source) -> str | None:
    """Return in what a file differs from its source's row, None if it doesn't."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == source.sha256 and size == source.bytes:
        return None
    return (
        f"{source.file} is not the file it should be: it has sha256 {digest} and {size} bytes, "
        f"sha256 {source.sha256} and {source.bytes} bytes are expected"
    )


def _copy(path: Path, target: Path) -> None:
    try:
        shutil.copyfile(path, target)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        remedy = (
            "describe it by `hominis sources folder`" if path.is_dir() else "correct its locator, or make it readable"
        )
        raise InputError(f"cannot read the source's file: {error.strerror}", where=path, remedy=remedy) from error


def _pack(source: Source, target: Path, scratch: Scratch) -> None:
    def look() -> None:
        if scratch.stopping:
            raise Interrupted(f"stopped while packing {source.locator}")
        scratch.progress(file.tell(), source.bytes, "bytes")

    with target.open("wb") as file:
        folder.pack(Path(source.locator), file, look)


def _downloaded(source: Source, scratch: Scratch) -> Path:
    path = scratch.checkpoints / source.file
    if path.is_file():
        path.unlink()  # a whole file that an earlier attempt left after it failed to verify it
    if source.kind == "deb":
        debian.download(source.locator, source.revision, scratch.checkpoints)
        if not path.is_file():
            raise InputError(
                f"apt-get wrote no {source.file}", where=f"source {source.name}", remedy="correct its file"
            )
        return path
    finder = packages.finder()
    link = packages.link(finder, source.locator, source.revision, source.file)
    return _stream(finder.session, link.url_without_fragment, source, scratch).rename(path)


def _stream(session: Any, url: str, source: Source, scratch: Scratch) -> Path:
    """Append to the partial file what it lacks, or all if the server doesn't serve ranges; return its path."""
    from unearth.preparer import HTTPErrors

    partial = scratch.checkpoints / f"{source.file}.partial"
    have = partial.stat().st_size if partial.is_file() else 0
    have = have if have < source.bytes else 0
    try:
        with session.get_stream(url, headers={"Range": f"bytes={have}-"} if have else None) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                partial.unlink()
            response.raise_for_status()
            continued = response.status_code == HTTPStatus.PARTIAL_CONTENT
            _write(response.iter_raw(1 << 20), partial, have if continued else 0, source, scratch)
    except HTTPErrors as error:
        raise InputError(
            f"the download of {source.file} broke off: {error or type(error).__name__}",
            where=f"source {source.name}",
            remedy=f"run again: it goes on where it stopped; or put {source.file} into fetch.downloads",
        ) from error
    return partial


def _write(chunks: Iterable[bytes], partial: Path, have: int, source: Source, scratch: Scratch) -> None:
    with partial.open("ab" if have else "wb") as file:
        for chunk in chunks:
            if have + len(chunk) > source.bytes:
                partial.unlink()
                raise InputError(
                    f"the server sends more of {source.file} than the {source.bytes} bytes that are expected",
                    where=f"source {source.name}",
                    remedy=_CORRECT,
                )
            have += file.write(chunk)
            scratch.progress(have, source.bytes, "bytes")
            if scratch.stopping:
                raise Interrupted(f"stopped while downloading {source.file}")
