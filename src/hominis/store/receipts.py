"""Receipts as text: canonical, so that equal work gives equal bytes, and sealed, so that a changed byte shows."""

import json

from hominis.store import files
from hominis.store.types import Receipt

SEAL = "seal"


def to_text(receipt: Receipt) -> str:
    """Return a receipt as it is written: canonical JSON with the SHA-256 of the rest of it beside the rest."""
    said = vars(receipt)
    return files.canonical({**said, SEAL: files.digest(said)})


def from_text(text: str) -> Receipt:
    """Return the receipt that ``text`` is.

    Raises:
        ValueError: it is no receipt, or not as it was written.
    """
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("it is JSON, but no receipt")
    seal, found = said.pop(SEAL, None), files.digest(said)
    if seal != found:
        raise ValueError(f"its own seal says {seal}, its content gives {found}")
    return Receipt(**said)


def digest(receipt: Receipt) -> str:
    """Return the SHA-256 of a receipt's text, by which other receipts name it."""
    return files.digest(to_text(receipt))
