"""The one road into the store: ``run_part``, the same for every stage."""

import contextlib
import errno
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hominis.errors import HominisError, Interrupted
from hominis.store import artefacts
from hominis.store.attempts import Attempt, claim
from hominis.store.owner import Owner, Proof, death, myself
from hominis.store.redact import redact
from hominis.store.site import Site
from hominis.store.types import Part, Receipt, Settings, Stage, Summary
from hominis.store.work import Meter, NoMeter, Work, heartbeats, stop_signals

PUBLISHED, PRESENT, BUSY, SUPERSEDED = "published", "present", "busy", "superseded"
FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "a file grew too large"}

Refs = Mapping[str, Sequence[tuple[str, str]]]
"""Upstream stage → (key, receipt digest) of each part that is read."""


def key_of(stage: Stage, section: Settings, part: Part, inputs: Refs) -> str:
    """Return the key of a part that reads ``inputs``."""
    return artefacts.part_key(stage, section.keyed(), _digests(inputs), part)


def run_part(
    site: Site,
    stage: Stage,
    section: Settings,
    part: Part,
    inputs: Refs,
    *,
    run: str,
    source: Mapping[str, Any] = MappingProxyType({}),
    meter: Callable[[], Meter] = NoMeter,
    owner: Owner | None = None,
    proof: Proof = death,
    heartbeat_s: float = 2.0,
) -> str:
    """Do a part of a stage once, whatever happens: look up, claim, verify, work, publish.

    Args:
        run, source: the run that asks, and the commit of its code, for the ledger.
        owner: who this process is; as the operating system has it if None.
        proof: tells whether the owner of an earlier attempt is dead.

    Returns:
        PUBLISHED, PRESENT (it was there), SUPERSEDED (another was first) or BUSY (a living attempt has it).

    Raises:
        CorruptArtefact: an input's bytes are not what its receipt says.
        HominisError: what the stage function raised; a full disk or quota is turned into one.
    """
    key = key_of(stage, section, part, inputs)
    if site.artefact(stage.name, key).exists():
        return PRESENT
    who = {"owner": owner or myself()}
    opening = {**who, "stage": stage.name, "part": part.id, "run": run, "source": dict(source)}
    attempt = claim(site, key, opening, proof)
    if attempt is None:
        return BUSY
    figures = _Figures()
    with _closing(attempt, figures) as closed:
        work = figures.work = Work(attempt.scratch, attempt.records)
        work.meter = meter()
        with heartbeats(attempt, figures, heartbeat_s), stop_signals(work):
            opened = {
                name: [artefacts.open_artefact(site, name, *ref) for ref in refs] for name, refs in inputs.items()
            }
            summary = stage.work(section, opened, part, work)
            receipt = _receipt(stage, section, part, key, inputs, work, summary)
            if work.warnings:  # who waits for the artefact reads them as soon as it is there
                attempt.write("beat", warnings=work.warnings)
            closed["outcome"] = _publish(site, attempt, work, receipt)
    return closed["outcome"]


class _Figures:
    """What a heartbeat carries: the meter's reading, the latest progress and all warnings, as far as there are any."""

    def __init__(self) -> None:
        self.work: Work | None = None

    def __call__(self) -> dict[str, Any]:
        if self.work is None:
            return {"reading": {}}
        told = {"progress": self.work.latest, "warnings": self.work.warnings}
        return {"reading": dict(self.work.reading()), **{name: what for name, what in told.items() if what}}


def _digests(inputs: Refs) -> dict[str, list[str]]:
    return {name: [digest for _, digest in refs] for name, refs in inputs.items()}


def _receipt(
    stage: Stage, section: Settings, part: Part, key: str, inputs: Refs, work: Work, summary: Summary
) -> Receipt:
    files = artefacts.describe_files(work.out)
    if not files:
        raise RuntimeError(f"{stage.name} wrote nothing for part {part.id}: a fault of the stage function")
    keyed, params = section.keyed(), dict(part.params)
    return Receipt(stage.name, stage.revision, key, part.id, params, keyed, _digests(inputs), files, summary)


def _publish(site: Site, attempt: Attempt, work: Work, receipt: Receipt) -> str:
    try:
        won = artefacts.publish(site, work.out, receipt)
    except FileNotFoundError:
        raise HominisError(f"{receipt.stage}/{receipt.part}: another attempt took over", where=attempt.path) from None
    shutil.rmtree(attempt.scratch, ignore_errors=True)
    return PUBLISHED if won else SUPERSEDED


@contextlib.contextmanager
def _closing(attempt: Attempt, figures: Callable[[], dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Write how the attempt ended, whatever way it ends, and turn a full disk into an error for people."""
    end = {"outcome": "failed", "error": ""}
    try:
        yield end
    except Interrupted as stop:
        end |= {"outcome": "resume", "error": str(stop)}
        raise
    except HominisError as expected:
        end["error"] = str(expected)
        raise
    except OSError as trouble:
        full = _full(trouble, attempt)
        end["error"] = str(full or traceback.format_exc())
        if full:
            raise full from trouble
        raise
    except BaseException:
        end["error"] = traceback.format_exc()
        raise
    finally:
        end["error"] = redact(end["error"])
        with contextlib.suppress(OSError):  # on a full disk the attempt stays open, and is charged as lost
            attempt.write("close", **end, **figures())


def _full(trouble: OSError, attempt: Attempt) -> HominisError | None:
    if trouble.errno not in FULL:
        return None
    shutil.rmtree(attempt.scratch / "out", ignore_errors=True)
    remedy = "free some space or raise the quota, then start again: what is done stays done"
    where = trouble.filename or attempt.scratch
    return HominisError(f"{FULL[trouble.errno]}: {trouble}", where=where, remedy=remedy)
