"""What the start of a rank is spent on, from its launch to the end of its first step."""

from __future__ import annotations

import time

CHECK, LAUNCH, IMPORTS, GROUP, DATA, MODEL, LOAD, FIRST_STEP = (
    *("check checkpoint", "launch", "imports", "process group"),
    *("data", "model", "load checkpoint", "first step"),
)

_marks: list[tuple[str, float]] = []


def mark(name: str) -> None:
    """Note that what was done since the last mark was ``name``; to be called again and again by the same name."""
    _marks.append((name, time.time()))


def seconds(since: float) -> dict[str, float]:
    """Return the seconds by name from the unix time ``since`` up to the first step's end."""
    spent: dict[str, float] = {}
    for name, at in _marks:
        spent[name] = round(spent.get(name, 0.0) + at - since, 3)
        since = at
        if name == FIRST_STEP:
            break
    return spent
