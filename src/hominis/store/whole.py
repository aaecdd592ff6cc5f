"""A stage as a whole: its receipt names the list of its parts by digest, and stays small whatever their number."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hominis.errors import CorruptArtefact, InputError
from hominis.store import artefacts, files
from hominis.store.site import Site
from hominis.store.types import Artefact, Receipt, Settings, Stage

PARTS = "parts.jsonl"


class Ref(NamedTuple):
    """A part of a stage that stands in the store."""

    part: str
    key: str
    digest: str


def whole_key(stage: Stage, section: Settings, keys: Sequence[str]) -> str:
    """Return the key of a stage whose parts have ``keys``."""
    return files.digest([stage.name, stage.revision, section.keyed(), list(keys)])[:40]


def conclude(
    site: Site, stage: Stage, section: Settings, parts: Mapping[str, str], inputs: Mapping[str, Sequence[str]]
) -> Receipt:
    """Publish the artefact of a stage whose parts all stand, and return its receipt.

    Args:
        parts: part id → key, in the stage's order.
        inputs: upstream stage → digest of its stage receipt, in a list of one.
    """
    key = whole_key(stage, section, list(parts.values()))
    if not site.artefact(stage.name, key).exists():
        out = site.scratch(key, 0)
        shutil.rmtree(out, ignore_errors=True)
        rows = [{"part": part, "key": k, "receipt": _digest(site, stage.name, k)} for part, k in parts.items()]
        files.replace(out / PARTS, "".join(json.dumps(row) + "\n" for row in rows))
        described, count = artefacts.describe_files(out), {"parts": len(parts)}
        receipt = Receipt(stage.name, stage.revision, key, "", {}, section.keyed(), inputs, described, count)
        artefacts.publish(site, out, receipt)
    return artefacts.open_artefact(site, stage.name, key).receipt


def _digest(site: Site, stage: str, key: str) -> str:
    return files.digest((site.artefact(stage, key) / artefacts.RECEIPT).read_text(encoding="utf-8"))


def load(path: Path) -> Receipt:
    """Return the stage receipt that a run keeps at ``path``.

    Raises:
        InputError: there is none (its stage has not run), or it can't be read.
    """
    try:
        return Receipt(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        remedy = f"run its stage first: `hominis {path.stem}`, or all of them with `snakemake`"
        raise InputError(f"there is no receipt {path}", where=path, remedy=remedy) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is not a receipt: {error}", where=path, remedy="remove it and run again") from None


def refs(site: Site, receipt: Receipt) -> list[Ref]:
    """Return the parts that a stage receipt stands for.

    Raises:
        CorruptArtefact: the list of parts is gone or is not the one that the receipt names.
    """
    stored = artefacts.open_artefact(site, receipt.stage, receipt.key)
    if dict(stored.receipt.files) != dict(receipt.files):
        problem = f"{stored.path} holds another {receipt.stage} than the run's receipt names"
        raise CorruptArtefact(problem, where=stored.path, remedy=artefacts.REPAIR)
    rows = [json.loads(line) for line in (stored.path / PARTS).read_text(encoding="utf-8").splitlines()]
    return [Ref(row["part"], row["key"], row["receipt"]) for row in rows]


def peek(site: Site, stage: str, parts: Sequence[Ref]) -> list[Artefact]:
    """Return the artefacts of ``parts`` with their receipts checked but not their bytes: for listing, not for use."""
    return [Artefact(site.artefact(stage, r.key), artefacts.read_receipt(site, stage, r.key, r.digest)) for r in parts]
