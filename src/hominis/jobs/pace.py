"""How often a driver looks: soon while things change, seldom while they don't."""

import random
import time

GROWTH = 1.3
JITTER = 0.2
"""Many drivers that began together must not ask together for ever."""


class Pace:
    """Waits between two rounds; waiting costs next to nothing."""

    def __init__(self, fastest_s: float = 0.05, slowest_s: float = 1.0) -> None:
        self._fastest_s, self._slowest_s = fastest_s, max(fastest_s, slowest_s)
        self._pause_s, self._seen = fastest_s, object()

    def wait(self, seen: object) -> None:
        """Pause: for the shortest while if ``seen`` differs from the last time, else for longer each time."""
        same = seen == self._seen
        self._pause_s = min(self._pause_s * GROWTH, self._slowest_s) if same else self._fastest_s
        self._seen = seen
        time.sleep(self._pause_s * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
