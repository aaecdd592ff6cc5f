"""What training needs to know of a ``tokenizer.json``: its tokens, how many there are, which one ends a document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hominis.errors import InputError
from hominis.store.types import Artefact

END_OF_DOCUMENT = "<|endoftext|>"
_REMEDY = "write it with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"


def file(vocabulary: Sequence[Artefact]) -> Path:
    """Return the run's tokenizer."""
    return vocabulary[0].path / "tokenizer.json"


def size_and_end(vocabulary: Sequence[Artefact]) -> tuple[int, int]:
    """Return the size of the run's vocabulary, without padding, and the token that ends a document.

    Raises:
        InputError: it has no such token.
    """
    known, end = tokens(file(vocabulary)), vocabulary[0].receipt.section.get("end_of_text", END_OF_DOCUMENT)
    if end not in known:
        remedy = "set vocabulary.end_of_text to the token that ends its documents"
        raise InputError(f"the tokenizer has no token {end}", where=file(vocabulary), remedy=remedy)
    return size(known), known[end]


def size(known: dict[str, int]) -> int:
    """Return the rows that an embedding of these tokens needs."""
    return max(known.values()) + 1


def tokens(path: Path) -> dict[str, int]:
    """Return token → id of a ``tokenizer.json``.

    Raises:
        InputError: there is none, or it isn't one.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        listed: Any = read["model"]["vocab"]
        known = listed if isinstance(listed, dict) else {token: at for at, (token, *_) in enumerate(listed)}
        return known | {token["content"]: token["id"] for token in read.get("added_tokens", [])}
    except FileNotFoundError:
        raise InputError(f"there is no {path.name}", where=path, remedy=_REMEDY) from None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is no tokenizer: {error!r}", where=path, remedy=_REMEDY) from None
