"""The files under a folder, such as a repository that was checked out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from hominis.corpus.readers.archives import Member, Wanted

_HISTORY = (".git", ".hg", ".svn", ".bzr", "_darcs", "CVS")


def folder(root: Path, wanted: Wanted, limit: int) -> Iterator[Member]:
    """Yield the wanted regular files under ``root``, sorted by path; links are not followed, wherever they lead."""
    for directory, names, files in os.walk(root, onerror=_raise):
        names[:] = sorted(name for name in names if name not in _HISTORY)
        for name in sorted(files):
            path = Path(directory, name)
            relative = path.relative_to(root).as_posix()
            if wanted(relative) and S_ISREG(path.lstat().st_mode):
                yield relative, _content(path, limit)


def _content(path: Path, limit: int) -> bytes | None:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


def _raise(error: OSError) -> None:
    raise error
