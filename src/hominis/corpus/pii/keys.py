"""Keys and tokens, told by the prefixes that providers gave them: the table ``keys.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_LEAST_DIFFERENT = 12
"""Fewer different characters make an example (``ghp_xxxx…``), no key."""


def key(text: memoryview, at: int) -> tuple[int, int] | None:
    """Return the span of a key that begins at a byte."""
    found = _pattern().match(text, at)
    if not found or len(set(found[0])) < _LEAST_DIFFERENT or found[0].endswith(b"EXAMPLE"):
        return None
    return found.span()


def prefixes() -> list[bytes]:
    """Return what keys begin with."""
    return [prefix.encode() for row in _rows() for prefix in row["prefixes"]]


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(files(__package__).joinpath("keys.toml").read_text("utf-8"))["key"]
    return rows


@cache
def _pattern() -> re.Pattern[bytes]:
    keys = [rf"(?:{'|'.join(map(re.escape, row['prefixes']))}){row['body']}(?![A-Za-z0-9])" for row in _rows()]
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(keys)})".encode())
