"""Files that a section names and whose bytes, not names, are in the key."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from hominis.errors import ConfigError


def sha256(path: Path, setting: str) -> str:
    """Return the SHA-256 of a file, worked out once for each state of it.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        stat = path.stat()
        return _sha256(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ConfigError(f"{setting} cannot be read: {error}", remedy="name a file that is there") from error


@lru_cache
def _sha256(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
