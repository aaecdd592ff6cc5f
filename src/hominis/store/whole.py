"""A stage as a whole: its receipt names the list of its parts by digest, and stays small whatever their number."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
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


def whole_key(stage: Stage, section: Settings, keys: Iterable[str], inputs: Mapping[str, Sequence[str]]) -> str:
    """Return the key of a stage whose parts have ``keys``, given the digests of its upstream stage receipts."""
    return files.digest([stage.name, stage.revision, section.keyed(), list(keys), dict(inputs)])[:40]


def conclude(
    site: Site, stage: Stage, section: Settings, parts: Mapping[str, str], inputs: Mapping[str, Sequence[str]]
) -> Receipt:
    """Publish the artefact of a stage whose parts all stand, and return its receipt.

    Args:
        parts: part id → key, in the stage's order.
        inputs: upstream stage → digest of its stage receipt, in a list of one.
    """
    key = whole_key(stage, section, parts.values(), inputs)
    rows = [{"part": part, "key": k, "receipt": _digest(site, stage.name, k)} for part, k in parts.items()]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    described = {PARTS: {"bytes": len(text.encode()), "sha256": files.digest(text)}}
    keyed, count = section.keyed(), {"parts": len(parts)}
    receipt = Receipt(stage.name, stage.revision, key, "", {}, keyed, inputs, described, count)
    if not site.artefact(stage.name, key).exists():
        out = site.scratch(key, 0)
        shutil.rmtree(out, ignore_errors=True)
        files.replace(out / PARTS, text)
        artefacts.publish(site, out, receipt)
    _same(artefacts.open_artefact(site, stage.name, key), receipt)
    return receipt


def _same(stored: Artefact, receipt: Receipt) -> None:
    if files.canonical(asdict(stored.receipt)) != files.canonical(asdict(receipt)):
        path = stored.path / artefacts.RECEIPT
        problem = f"{path}: the receipt of {receipt.stage} is not the one that its parts and the run give"
        raise CorruptArtefact(problem, where=path, remedy=artefacts.REPAIR)


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
    _same(stored, receipt)
    rows = [json.loads(line) for line in (stored.path / PARTS).read_text(encoding="utf-8").splitlines()]
    return [Ref(row["part"], row["key"], row["receipt"]) for row in rows]


def peek(site: Site, stage: str, parts: Sequence[Ref]) -> list[Artefact]:
    """Return the artefacts of ``parts`` with their receipts checked but not their bytes: for listing, not for use."""
    return [Artefact(site.artefact(stage, r.key), artefacts.read_receipt(site, stage, r.key, r.digest)) for r in parts]
