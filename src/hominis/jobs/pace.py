"""How often a driver looks: soon while things change, seldom while they don't."""

import math
import random
import time

GROWTH = 1.3
JITTER = 0.2
"""Many drivers that began together must not ask together for ever."""
FRUGAL = 1 / 150
"""The share of a core that a driver on a login node takes for its looks; with those of squeue it stays below 1 %."""


class Pace:
    """Waits between two rounds; waiting costs next to nothing.

    Args:
        share: of a core, taken at most by rounds that cost too much for the shortest pause: those over 10,000 parts.
    """

    def __init__(self, fastest_s: float = 0.05, slowest_s: float = 1.0, share: float = 1.0) -> None:
        self._fastest_s, self._slowest_s, self._share = fastest_s, max(fastest_s, slowest_s), share
        self._pause_s, self._seen = fastest_s, object()
        self._used_s = math.inf  # the first round costs more than those that follow

    def wait(self, seen: object) -> None:
        """Pause: for the shortest while if ``seen`` differs from the last time, else for longer each time."""
        same = seen == self._seen
        self._pause_s = min(self._pause_s * GROWTH, self._slowest_s) if same else self._fastest_s
        self._seen = seen
        earned = min((time.process_time() - self._used_s) / self._share, self._slowest_s)
        time.sleep(max(self._pause_s, earned) * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
        self._used_s = time.process_time()
