"""The members of archives, streamed in the archive's own order; nothing is ever extracted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, cast

from hominis.errors import InputError

Member = tuple[str, bytes | None]
"""A member's path, and its bytes; None instead of the bytes if it is longer than the limit."""

Wanted = Callable[[str], bool]


def tar(path: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted regular files of a tar file, compressed or not."""
    with path.open("rb") as file:
        yield from _tar(decompressed(file, path.name), wanted, limit)


def wheel(path: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted files of a zip file (a wheel is one)."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir() and wanted(entry.filename):
                yield entry.filename, archive.read(entry) if entry.file_size <= limit else None


def deb(path: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted regular files that a Debian package installs (deb(5): an ar archive around a tar file).

    Raises:
        InputError: it isn't a Debian package or is cut short before its files.
        tarfile.ReadError: a member's header is damaged.
    """
    with path.open("rb") as file:
        name, size = _to_data(file, path)
        data = cast("IO[bytes]", io.BufferedReader(_Window(file, size)))
        yield from _tar(decompressed(data, name), wanted, limit)


def decompressed(file: IO[bytes], name: str) -> IO[bytes]:
    """Return a stream of what ``file`` holds from here on, by the ending of ``name``."""
    ending = name.rpartition(".")[2]
    if ending in ("gz", "tgz"):
        return cast("IO[bytes]", gzip.open(file))
    if ending == "xz":
        return lzma.open(file)
    if ending == "bz2":
        return bz2.open(file)
    if ending == "zst":
        import pyarrow as pa

        stream: IO[bytes] = pa.CompressedInputStream(file, "zstd")
        return stream
    return file


def _tar(stream: IO[bytes], wanted: Wanted, limit: int) -> Iterator[Member]:
    with closing(tarfile.open(fileobj=stream, mode="r|")) as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if member.isfile() and wanted(path):
                content = archive.extractfile(member) if member.size <= limit else None
                yield path, content.read() if content else None
    while stream.read(1 << 20):  # what follows the last member carries the checksum
        pass


class _Window(io.RawIOBase):
    """The next ``size`` bytes of a file: an ar member may be followed by a byte of padding, which no gzip stream is."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(min(len(buffer), self._left))
        buffer[: len(content)] = content
        self._left -= len(content)
        return len(content)


def _to_data(file: IO[bytes], path: Path) -> tuple[str, int]:
    if file.read(8) != b"!<arch>\n":
        raise InputError("not a Debian package", where=path, remedy="check the source's file")
    while len(header := file.read(60)) == 60:
        name, length = header[:16].decode("ascii", "replace").strip().rstrip("/"), header[48:58].strip()
        if not length.isdigit():
            raise tarfile.ReadError(f"the header of member {name!r} has the length {length!r}")
        size = int(length)
        if name.startswith("data.tar"):
            return name, size
        file.seek(size + size % 2, 1)
    raise InputError("the Debian package ends before its files", where=path, remedy="fetch it again")
