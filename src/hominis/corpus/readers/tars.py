"""Tar files from anybody's hand, read as streams."""

from __future__ import annotations

import tarfile
from typing import IO, Any

_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")
_LONGEST_HEADER = 2**20


def opened(stream: IO[bytes]) -> tarfile.TarFile:
    """Open a tar file as a stream, whose members come in their order and can't be gone back to.

    Reading its members raises ReadError also where the names and attributes of one are longer than a megabyte: they
    are held in memory.
    """
    return tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member)


class _Member(tarfile.TarInfo):
    def _proc_member(self, archive: tarfile.TarFile) -> Any:  # the way that tarfile keeps open for subclasses
        if self.type in _HEADERS and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError(f"a member has {self.size} bytes of names and attributes")
        return super()._proc_member(archive)  # type: ignore[misc]
