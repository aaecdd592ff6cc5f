"""Files that are whole or absent, and canonical JSON."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def canonical(value: Any) -> str:
    """Return ``value`` as JSON text that is the same for equal values, ending in a newline."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def digest(value: Any) -> str:
    """Return the SHA-256 (hex) of a value's canonical JSON; of a string's or bytes' own bytes."""
    if not isinstance(value, (str, bytes)):
        value = canonical(value)
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Wait until a file, or a directory's list of names, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_aside(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        aside.write_text(text, encoding="utf-8")
        fsync(aside)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def replace(path: Path, text: str) -> None:
    """Write ``path`` so that a reader sees the old text or the new one, never a part."""
    _write_aside(path, text).replace(path)


def create(path: Path, text: str) -> bool:
    """Make ``path`` with its whole text, or leave what is there: returns whether the name was free.

    A hard link makes the name and the text appear at once; ``O_EXCL`` would show an empty file first.
    """
    aside = _write_aside(path, text)
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    fsync(path.parent)
    return True


def walk(folder: Path) -> list[Path]:
    """Return all files below ``folder``, sorted by their relative path."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
