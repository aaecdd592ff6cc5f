"""UT1's blacklist as RedPajama-v2 uses it: a domain's number stands for the set of categories that list it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.readers.archives import BROKEN, decompressed
from hominis.errors import InputError

NAME = "rps_doc_ut1_blacklist"

_BITS = 63


def read_domains(path: Path) -> dict[str, int]:
    """Return a map of domains to numbers from a JSON object.

    Raises:
        InputError: the file holds something else.
    """
    remedy = 'a JSON object such as {"ads.example": 3} is expected'
    try:
        with path.open("rb") as file, decompressed(file, path.name) as stream:
            found = json.loads(stream.read())
    except (ValueError, *BROKEN) as error:
        raise InputError(f"the map of domains can't be read: {error}", where=path, remedy=remedy) from error
    wrong = found
    if isinstance(found, dict):
        wrong = next((pair for pair in found.items() if type(pair[1]) is not int or pair[1].bit_length() > _BITS), None)
    if wrong is not None:
        raise InputError(f"no map of domains to whole numbers: {str(wrong)[:80]}", where=path, remedy=remedy)
    return dict(found)


class Domains:
    """A map of domains to numbers by their hashes: 16 bytes a domain, of which UT1 has millions."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        numbers = {"\0": 0, **numbers}  # so there is one; no domain is called so
        hashes = content_hashes(texts_of(pa.array(list(numbers), pa.large_string())))
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._numbers = np.fromiter(numbers.values(), np.int64, len(numbers))[order]

    def joined(self, rows: pa.Table) -> pa.Table:
        """Return annotations with the numbers of their column ``domain``; null: not in the map."""
        asked = content_hashes(texts_of(rows["domain"]))
        at = np.searchsorted(self._hashes[:-1], asked)
        found = pa.array(self._numbers[at], mask=self._hashes[at] != asked)
        column = rows.schema.get_field_index(NAME)
        return rows.set_column(column, rows.schema.field(column), found)
