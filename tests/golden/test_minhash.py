"""Signatures equal RedPajama-v2's own, value by value, and group documents as its rules do."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.minhash import signatures
from hominis.corpus.signals import normalise

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")


@pytest.fixture(scope="module")
def signed():
    with gzip.open(GOLDEN / "documents.json.gz", "rt", encoding="utf-8") as file:
        documents = [json.loads(line)["raw_content"] for line in file]
    return signatures(texts_of(normalise(pl.Series(documents, dtype=pl.String))), "redpajama", 13, 128)


def test_signatures_are_the_published_ones_and_short_documents_have_none(signed):
    published = pq.read_table(GOLDEN / "minhash.parquet")["signature_sim1.0"].to_pylist()
    ours = signed[: len(published)].to_pylist()
    assert len(ours) == 200
    assert ours.count(None) == 12
    assert [bands and [np.array(ours[row], dtype=">u4").tobytes()] for row, bands in enumerate(published)] == published
