"""Files that a section names and whose bytes, not names, determine a part: their hash is one of its parameters."""

from __future__ import annotations

from pathlib import Path

from hominis.errors import InputError
from hominis.store.files import sha256


def hash_of(file: Path, setting: str) -> str:
    """Return the SHA-256 of a file that ``setting`` names.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256(file)
    except OSError as error:
        raise InputError(
            f"can't read {file}: {error.strerror}", where=setting, remedy="name a file that is there"
        ) from None


def check(file: Path, known: str, setting: str) -> None:
    """Check that a file has the hash that it had when the stage was asked for.

    Raises:
        InputError: it hasn't, or cannot be read.
    """
    if hash_of(file, setting) != known:
        raise InputError("the file changed since the stage was asked for", where=file, remedy="start it again")
