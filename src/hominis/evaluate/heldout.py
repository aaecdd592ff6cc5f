"""The held-out documents that a model is asked for bits per byte on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hominis.store.types import Artefact

Document = dict[str, Any]


def held_out(artefacts: Iterable[Artefact], max_bytes: int) -> list[Document]:
    """Return held-out documents of each corpus up to ``max_bytes`` of UTF-8, as id, corpus, text and bytes.

    The choice is by hash of the id, the same at every size: a larger bound adds documents. The last one is cut to
    fit, since leaving long documents out would make the sample easier or harder than the corpus.
    """
    chosen: list[Document] = []
    for artefact in sorted(artefacts, key=lambda one: one.part):
        left = max_bytes
        for line in sorted(_lines(artefact.path / "heldout.jsonl"), key=lambda one: _hash(one["id"])):
            text = line["text"].encode()[:left].decode(errors="ignore")
            left -= len(line["text"].encode())
            if text:
                size = len(text.encode())
                chosen.append({"id": line["id"], "corpus": artefact.summary["corpus"], "text": text, "bytes": size})
            if left <= 0:
                break
    return chosen


def _lines(path: Path) -> list[Document]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def _hash(id_: str) -> bytes:
    return hashlib.blake2b(id_.encode(), digest_size=16).digest()
