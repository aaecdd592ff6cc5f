"""RedPajama-v2's MinHash signatures as published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hominis.errors import InputError

VALUES = 128
"""In a signature."""

REMEDY = "compare it with its publisher's and fetch it again, or take its row out of the table of sources"


class Signatures:
    """The MinHash signatures of a file, by id.

    They are published as bands; the band for similarity 1.0 is the whole signature, its 128 values big-endian.
    """

    def __init__(self, file: Path) -> None:
        try:
            table = pq.read_table(file, columns=["id", "signature_sim1.0"])
            bands = table.column(1).combine_chunks()
            whole = b"".join(bands.flatten().to_pylist())
            self._values = np.frombuffer(whole, ">u4").astype(np.uint32).reshape(-1, VALUES)
            there = np.asarray(bands.is_valid())
            if len(self._values) != there.sum():
                raise ValueError(f"{len(self._values)} signatures for {there.sum()} documents")
        except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
            raise InputError(f"{file.name} holds no signatures: {error}", where=file, remedy=REMEDY) from error
        row = np.where(there, np.cumsum(there) - 1, -1)
        self._rows: dict[str, int] = dict(zip(table.column(0).to_pylist(), row.tolist(), strict=True))

    def of(self, ids: Sequence[str]) -> pa.Array | None:
        """Return their signatures, null for those without; None if it doesn't know one of them."""
        rows = np.array([self._rows.get(id_, -2) for id_ in ids])
        if (rows == -2).any():
            return None
        values = np.zeros((len(rows), VALUES), dtype=np.uint32)
        values[rows >= 0] = self._values[rows[rows >= 0]]
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), VALUES, mask=pa.array(rows < 0))
