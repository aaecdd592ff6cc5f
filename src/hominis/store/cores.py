"""How many cores a part may use: those of its job, or of a machine where several parts run its share."""

import os
from collections.abc import Mapping

_SHARE = "HOMINIS_CORES"


def cores() -> int:
    """Return how many cores this process may keep busy, which may be fewer than the machine has."""
    allowed = len(os.sched_getaffinity(0))
    return min(int(os.environ.get(_SHARE) or allowed), allowed)


def share(all_cores: int, parts: int) -> Mapping[str, str]:
    """Return variables for each of some parts that run at once: its share of the cores, for us and for Polars."""
    number = str(max(all_cores // max(parts, 1), 1))
    return {_SHARE: number, "POLARS_MAX_THREADS": number}
