"""JSON lines, one at a time: whatever a file holds, a line is an object or a reason, and memory is bounded.

Lines are parsed by the parser of pydantic (jiter): two to three times as fast as the standard library's, and it says
no to lone surrogates. What it refuses, the standard library judges: the two agree on every line that both can read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from pydantic_core import from_json

from hominis.corpus.readers.archives import decompressed

JSON_LINES = tuple(kind + packed for kind in (".json", ".jsonl") for packed in ("", ".gz", ".xz", ".bz2", ".zst"))
"""Endings of files of JSON lines; GitHub's and RedPajama-v2's datasets call them ``.json``, too."""

Parse = Callable[[bytes], Any]
"""From a line to what it holds; raises ValueError."""

_ALL: Parse = partial(from_json, cache_strings="keys")
_BUFFER_BYTES = 2**20
_STEP = 2**20
_BEGINNING = 2**10


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: of the line, from 0; bad and empty ones count.
        value: the object that it holds; None if there is a ``reason``.
        reason: ``empty``, ``too_large``, ``bad_utf8``, ``not_json``, ``not_object``, or ``truncated``: the compressed
            file ends here, within this line or before it.
        beginning: how a bad line begins.
    """

    number: int
    value: dict[str, Any] | None
    reason: str = ""
    beginning: bytes = b""


def objects(
    path: Path, limit: int, parse: Parse = _ALL, wanted: Callable[[int], bool] = lambda _: True
) -> Iterator[Line]:
    """Yield every line of a file, compressed or not, of which none longer than ``limit`` bytes is ever held.

    ``parse`` may leave out what isn't wanted of a line; ``wanted`` says which lines are, by their numbers.
    """
    with path.open("rb", _BUFFER_BYTES) as file, decompressed(file, path.name) as stream:
        number = 0
        try:
            while line := stream.readline(limit + 1):
                if len(line) > limit and not line.endswith(b"\n"):
                    yield Line(number, None, "too_large", line[:_BEGINNING])
                    _skip(stream)
                elif wanted(number):
                    yield _parsed(number, line, parse)
                number += 1
        except EOFError:
            yield Line(number, None, "truncated")


def _skip(stream: IO[bytes]) -> None:
    while (piece := stream.readline(_STEP)) and not piece.endswith(b"\n"):
        pass


def _parsed(number: int, line: bytes, parse: Parse) -> Line:
    reason = ""
    try:
        value = parse(line)
    except ValueError:
        value, reason = _judged(line)
    if not reason and not isinstance(value, dict):
        reason = "not_object"
    return Line(number, None, reason, line[:_BEGINNING]) if reason else Line(number, value)


def _judged(line: bytes) -> tuple[Any, str]:
    if not line.strip():
        return None, "empty"
    try:
        return json.loads(line.decode("utf-8-sig")), ""
    except UnicodeDecodeError:
        return None, "bad_utf8"
    except (ValueError, RecursionError):
        return None, "not_json"


def string(value: Any) -> str | None:
    """Return a field's value if it is a string that UTF-8 can hold (a lone surrogate is none)."""
    if not isinstance(value, str):
        return None
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError:
        return None
    return value
