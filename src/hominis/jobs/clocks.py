"""Clocks of nodes that differ from the driver's: found by what can't be, and told."""

import time
from collections.abc import Callable, Iterable, Mapping

from hominis.jobs.backend import Job
from hominis.store.attempts import Standing

TOLERANCE_S = 10.0


class Clocks:
    """Compares the times that attempts carry with the driver's. Nothing is decided by clocks; the ledger shows them."""

    def __init__(self, say: Callable[[str], None], now: Callable[[], float] = time.time) -> None:
        self._say, self._now, self._told = say, now, set[str]()

    def look(self, running: Iterable[str], stands: Mapping[str, Standing], jobs: Mapping[str, Job]) -> None:
        """Name the hosts whose attempts began in the future, or before they were submitted."""
        for part in running:
            opened, host = stands[part].opened, str(stands[part].owner.get("host"))
            ahead, behind = opened - self._now(), (jobs[part].since if part in jobs else 0.0) - opened
            if max(ahead, behind) > TOLERANCE_S and host not in self._told:
                self._told.add(host)
                much = f"at least {max(ahead, behind):.0f} s {'ahead of' if ahead > behind else 'behind'}"
                self._say(f"the clock of {host} is {much} this machine's: times in the ledger are off; tell the site")
