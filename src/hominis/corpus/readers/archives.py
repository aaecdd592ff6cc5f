"""The members of archives, streamed in the archive's own order; nothing is ever extracted."""

from __future__ import annotations

import bz2
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, cast

from hominis.corpus.readers import tars
from hominis.errors import InputError

try:  # twice as fast; isal, faster still, halves the speed of SSE code in its thread: of the parser of JSON
    from zlib_ng.gzip_ng import GzipNGFile as GzipFile
    from zlib_ng.zlib_ng import error as NgError  # noqa: N812
except ImportError:  # there are no wheels for POWER
    from gzip import GzipFile
    from zlib import error as NgError  # noqa: N812

_FORMATS = (zlib.error, NgError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, UnicodeDecodeError)
BROKEN = (EOFError, OSError, RuntimeError, *_FORMATS)
"""What reading a damaged file raises."""

Member = tuple[str, bytes | None]
"""A member's path, and its bytes; None instead of the bytes if it is longer than the limit."""

_BUFFER_BYTES = 2**16
_BOMB_BYTES = 64 * 2**20
_BOMB_RATIO = 200
"""How much more than itself a file may unpack to, once it gives more than ``_BOMB_BYTES``; text gives 3 to 20."""

Wanted = Callable[[str], bool]


def tar(path: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted regular files of a tar file, compressed or not."""
    with path.open("rb") as file:
        yield from _tar(decompressed(file, path.name), wanted, limit)


def wheel(path: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted files of a zip file (a wheel is one)."""
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if wanted(entry.filename) and _is_file(entry)]
        _check(sum(entry.file_size for entry in entries), path.stat().st_size, path.name)
        for entry in entries:
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


ARCHIVES = {
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"): tar,
    (".whl", ".zip"): wheel,
    (".deb",): deb,
}
"""Endings of names → the reader of such archives."""


def members(path: Path, wanted: Wanted, limit: int) -> Iterator[Member] | None:
    """Return the wanted files of an archive, by the ending of its name; None if it is none."""
    name = path.name.lower()
    return next((read(path, wanted, limit) for endings, read in ARCHIVES.items() if name.endswith(endings)), None)


def included(patterns: Sequence[str]) -> Wanted:
    """Return which paths match patterns; ``!`` before one excludes, and none includes all."""
    takes = [pattern for pattern in patterns if not pattern.startswith("!")]
    leaves = [pattern[1:] for pattern in patterns if pattern.startswith("!")]

    def wanted(path: str) -> bool:
        taken = not takes or any(fnmatchcase(path, pattern) for pattern in takes)
        return taken and not any(fnmatchcase(path, pattern) for pattern in leaves)

    return wanted


def decompressed(file: IO[bytes], name: str) -> IO[bytes]:
    """Return a stream of what ``file`` holds from here on, by the ending of ``name``.

    Reading it raises EOFError where a compressed file is cut short, and InputError where it unpacks to far more than a
    text can.
    """
    opened = _COMPRESSED.get(name.rpartition(".")[2])
    if opened is None:
        return file
    return cast("IO[bytes]", io.BufferedReader(_Unpacked(opened(file), file, name), _BUFFER_BYTES))


def _gzip(file: IO[bytes]) -> Any:
    return GzipFile(fileobj=file)


def _zstd(file: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(file, "zstd")


_COMPRESSED: dict[str, Callable[[IO[bytes]], Any]] = {
    "gz": _gzip,
    "tgz": _gzip,
    "xz": lzma.LZMAFile,
    "bz2": bz2.BZ2File,
    "zst": _zstd,
}


class _Unpacked(io.RawIOBase):
    """A decompressing stream that gives up on a bomb: a small file made to unpack to a huge one."""

    def __init__(self, stream: Any, file: IO[bytes], name: str) -> None:
        self._stream, self._file, self._name = stream, file, name
        self._begin, self._given = file.tell(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read1(len(buffer))
        except OSError as error:
            if "Truncated" in str(error):  # as Arrow says it
                raise EOFError(str(error)) from error
            raise
        buffer[: len(content)] = content
        self._given += len(content)
        _check(self._given, self._file.tell() - self._begin, self._name)
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _check(unpacked: int, packed: int, name: str) -> None:
    if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * packed:
        raise InputError(
            f"{name} unpacks to more than {_BOMB_RATIO} times its size, as no text does",
            where=name,
            remedy="don't trust the file: take its source out, or unpack and look at it by hand",
        )


def _is_file(entry: zipfile.ZipInfo) -> bool:
    return not entry.filename.endswith("/") and not stat.S_ISLNK(entry.external_attr >> 16)


def _tar(stream: IO[bytes], wanted: Wanted, limit: int) -> Iterator[Member]:
    with closing(tars.opened(stream)) as archive:
        for member in archive:
            path = member.name.removeprefix("./").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if member.isfile() and wanted(path):
                content = archive.extractfile(member) if member.size <= limit else None
                yield path, content.read() if content else None
    while stream.read(1 << 20):  # what follows the last member carries the checksum
        pass


class _Window(io.RawIOBase):
    """The next ``size`` bytes of a file: an ar member may be followed by a byte of padding, which no gzip stream is."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size, self._left = file, size, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(min(len(buffer), self._left))
        buffer[: len(content)] = content
        self._left -= len(content)
        return len(content)

    def tell(self) -> int:
        return self._size - self._left


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
