"""Whether a part that isn't done is submitted again, elsewhere, or not any more."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from hominis.jobs.backend import Backend, Job
from hominis.jobs.states import Decision
from hominis.store.attempts import ALIVE, Standing

TRIES = 3
TAIL_BYTES = 2000
FINAL = (Decision.STOP, Decision.GIVE_UP)


@dataclass
class _Tries:
    """How often a part was submitted without getting further.

    Attributes:
        furthest: how much of it a kill would not have lost: its newest checkpoint.
        attempt: the newest attempt when it was submitted.
    """

    count: int
    attempt: int
    furthest: float = -1.0


class Judge:
    """Judges what this driver submitted or saw at work. What ended before its time gets a fresh try.

    Attributes:
        failed: part → why it is given up.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._tries: dict[str, _Tries] = {}
        self.failed: dict[str, str] = {}

    def knows(self, part: str) -> bool:
        """Whether a part was submitted by this driver, or seen at work."""
        return part in self._tries

    def see(self, busy: Iterable[str], stands: Mapping[str, Standing]) -> None:
        """Note parts that an earlier driver submitted and that are under way."""
        for part in busy:
            if part not in self._tries:
                stand = stands[part]
                self._tries[part] = _Tries(1, stand.n - 1 if stand.state == ALIVE else stand.n)

    def submitted(self, part: str, stand: Standing) -> None:
        """Note a submission, and the attempt that was the newest then."""
        tries = self._tries.setdefault(part, _Tries(0, stand.n))
        tries.count, tries.attempt = tries.count + 1, stand.n

    def judge(self, part: str, stand: Standing, job: Job | None) -> None:
        """Give a part up that failed by itself, that somebody stopped, or that ended too often without progress."""
        tries = self._tries.get(part)
        if tries is None or part in self.failed:
            return
        kept = float(stand.last.get("progress", {}).get("kept", -1.0))
        if kept > tries.furthest:
            tries.count, tries.furthest = 0, kept
        if why := self._why(part, stand, job, tries):
            self.failed[part] = why

    def _why(self, part: str, stand: Standing, job: Job | None, tries: _Tries) -> str:
        rule = job.rule if job else None
        if rule and rule.decision in FINAL:
            return "\n  remedy: ".join(filter(None, (rule.words, rule.remedy)))
        if stand.n > tries.attempt and stand.last.get("outcome") == "failed":
            return str(stand.last["error"])
        if rule and rule.decision is Decision.BROKEN and stand.n == tries.attempt:
            return f"did not start ({rule.words}): {self._tail(part)}"
        if tries.count >= TRIES:
            last = stand.last.get("error") or (rule.words if rule else "") or stand.reason or "see its log"
            return f"{tries.count} attempts ended without a newer checkpoint, the last: {last}"
        return ""

    def avoid(self, parts: Collection[str], jobs: Mapping[str, Job]) -> set[str]:
        """Return the nodes on which parts failed by no fault of their own."""
        moved = [jobs[part] for part in parts if part in jobs and jobs[part].rule.decision is Decision.ELSEWHERE]
        return {node for job in moved for node in job.where}

    def _tail(self, part: str) -> str:
        with suppress(FileNotFoundError):
            return self._backend.log(part).read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
        return "it left no log"
