"""A folder of this machine as one file: a tar whose bytes depend on nothing but its files' names and contents.

A checkout and an unpacked source distribution are such folders. Owners, modes, times and the order in which the disk
has them are not in the tar. Regular files only: links, also those to folders, are left out and never followed, and so
are sockets, pipes and devices.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from hominis.errors import InputError

_MADE = frozenset(("__pycache__", "node_modules"))
"""What interpreters and installers put into a folder of sources."""

_MARKS = frozenset(("CACHEDIR.TAG", "pyvenv.cfg"))
"""A folder that has one of these is a cache (https://bford.info/cachedir/) or an environment, and left out, too."""


def described(folder: Path) -> tuple[str, int]:
    """Return the SHA-256 and the length of a folder's tar, which is not written.

    Raises:
        InputError: as ``pack``.
    """
    hashed = _Hashed()
    pack(folder, cast("IO[bytes]", hashed))
    return hashed.digest.hexdigest(), hashed.size


def pack(folder: Path, stream: IO[bytes], look: Callable[[], object] = lambda: None) -> None:
    """Write the tar of a folder; ``look`` is called before each of its files.

    Raises:
        InputError: it has no files, or one cannot be read or changes meanwhile.
    """
    # GNU's form keeps names as the bytes that they are
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar:
        for name in _files(folder):
            look()
            _add(tar, folder, name)


def shown(path: str | Path) -> str:
    """Return a path as a message can hold it: the file system takes names that are no UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def _files(folder: Path) -> list[str]:
    found = sorted(_walk(folder), key=os.fsencode)
    if not found:
        raise InputError("the folder has no files to read", where=folder, remedy="correct the source's locator")
    return found


def _walk(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder, onerror=_refuse):
        if _MARKS & set(names):
            folders.clear()
            continue
        folders[:] = filter(_is_source, folders)
        paths = (Path(root, name) for name in names if _is_source(name))
        yield from (str(path.relative_to(folder)) for path in paths if stat.S_ISREG(path.lstat().st_mode))


def _is_source(name: str) -> bool:
    """Say whether a name isn't hidden, as those of version control, tools and ``.env`` with its keys are, nor made."""
    return not name.startswith(".") and name not in _MADE


def _refuse(error: OSError) -> None:
    where, remedy = shown(error.filename), "correct the source's locator, or make readable what it names"
    raise InputError(f"cannot read the folder: {error.strerror}", where=where, remedy=remedy) from error


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    path = folder / name
    with _opened(path) as file:
        found = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size = found.st_size
        try:
            if not stat.S_ISREG(found.st_mode):
                raise OSError("no regular file any more")
            tar.addfile(member, file)
        except OSError as error:
            if error.errno is not None:
                raise
            remedy = "run again when nobody works in the folder"  # tarfile's own, where a file ends before its size
            raise InputError("a file changed while it was read", where=shown(path), remedy=remedy) from error


def _opened(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        remedy = "make it readable, or take it away"
        raise InputError(f"cannot read a file: {error.strerror}", where=shown(path), remedy=remedy) from error


class _Hashed:
    """A stream that keeps nothing of what is written but its hash and length."""

    def __init__(self) -> None:
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.size += len(content)
        return len(content)
