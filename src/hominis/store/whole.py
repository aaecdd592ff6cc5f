"""A stage as a whole: its receipt names the list of its parts by digest, and stays small whatever their number."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hominis.errors import CorruptArtefact, InputError
from hominis.store import artefacts, files, receipts
from hominis.store.site import Site
from hominis.store.types import Artefact, Receipt, Settings, Stage

PARTS = "parts.jsonl"


class Ref(NamedTuple):
    """A part of a stage that stands in the store."""

    part: str
    key: str
    digest: str


def whole_key(stage: Stage, section: Settings, keys: Iterable[str], inputs: Mapping[str, Sequence[str]]) -> str:
    """Return the key of a stage whose parts have ``keys``, given the digests of its upstream stage receipts."""
    return files.digest([stage.name, stage.revision, section.keyed(), list(keys), dict(inputs)])[:40]


def describe(
    site: Site, stage: Stage, section: Settings, parts: Mapping[str, str], inputs: Mapping[str, Sequence[str]]
) -> tuple[Receipt, str]:
    """Return the receipt of a stage whose parts all stand, and the list of parts that it names.

    Args:
        parts: part id → key, in the stage's order.
        inputs: upstream stage → digest of its stage receipt, in a list of one.

    Raises:
        CorruptArtefact: a part's receipt is gone or isn't as it was written.
    """
    made = {part: artefacts.read_receipt(site, stage.name, key) for part, key in parts.items()}
    rows = [{"part": part, "key": r.key, "receipt": receipts.digest(r)} for part, r in made.items()]
    listed = "".join(json.dumps(row) + "\n" for row in rows)
    described = {PARTS: {"bytes": len(listed.encode()), "sha256": files.digest(listed)}}
    key, keyed = whole_key(stage, section, parts.values(), inputs), section.keyed()
    count = {"parts": len(parts)}
    return Receipt(stage.name, stage.revision, key, "", {}, keyed, inputs, described, count), listed


def stands(site: Site, receipt: Receipt) -> bool:
    """Return whether the stage's artefact is in the store and is what ``receipt`` says."""
    try:
        stored = artefacts.open_artefact(site, receipt.stage, receipt.key)
    except CorruptArtefact:
        return False
    return receipts.digest(stored.receipt) == receipts.digest(receipt)


def conclude(
    site: Site, stage: Stage, section: Settings, parts: Mapping[str, str], inputs: Mapping[str, Sequence[str]]
) -> Receipt:
    """Publish the artefact of a stage whose parts all stand (arguments as of ``describe``), and return its receipt.

    A damaged one is retired: it is a list, made anew from receipts in a moment.
    """
    receipt, listed = describe(site, stage, section, parts, inputs)
    if not stands(site, receipt):
        artefacts.retire(site, receipt.stage, receipt.key)
        out = site.scratch(receipt.key, 0)
        shutil.rmtree(out, ignore_errors=True)
        files.replace(out / PARTS, listed)
        artefacts.publish(site, out, receipt)
    return receipt


def load(path: Path) -> Receipt:
    """Return the stage receipt that a run keeps at ``path``.

    Raises:
        InputError: there is none (its stage has not run), or it can't be read.
    """
    try:
        return receipts.from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = f"run its stage first: `hominis {path.stem}`, or all of them with `snakemake`"
        raise InputError(f"there is no receipt {path}", where=path, remedy=remedy) from None
    except (ValueError, TypeError) as error:
        remedy = "`hominis repair` writes it anew; starting the run again does too"
        raise InputError(f"{path} is not a receipt: {error}", where=path, remedy=remedy) from None


def refs(site: Site, receipt: Receipt) -> list[Ref]:
    """Return the parts that a stage receipt stands for.

    Raises:
        CorruptArtefact: the list of parts is gone or is not the one that the receipt names.
    """
    stored = artefacts.open_artefact(site, receipt.stage, receipt.key, receipts.digest(receipt))
    rows = [json.loads(line) for line in (stored.path / PARTS).read_text(encoding="utf-8").splitlines()]
    return [Ref(row["part"], row["key"], row["receipt"]) for row in rows]


def peek(site: Site, stage: str, parts: Sequence[Ref]) -> list[Artefact]:
    """Return the artefacts of ``parts`` with their receipts checked but not their bytes: for listing, not for use."""
    return [Artefact(site.artefact(stage, r.key), artefacts.read_receipt(site, stage, r.key, r.digest)) for r in parts]
