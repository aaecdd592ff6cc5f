"""Signatures equal RedPajama-v2's own, value by value, and group documents as its rules do."""

import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hominis.corpus.duplicates import Documents
from hominis.corpus.kernels.normalise import normalise
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.lsh import best_bands
from hominis.corpus.minhash import signature_field, signatures

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")


IDS = "2023-06/0000/en_head.json.gz/{}"


@pytest.fixture(scope="module")
def signed():
    with gzip.open(GOLDEN / "documents.json.gz", "rt", encoding="utf-8") as file:
        documents = [json.loads(line)["raw_content"] for line in file]
    return signatures(normalise(texts_of(pl.Series(documents, dtype=pl.String))), "redpajama", 13, 128)


def test_signatures_are_the_published_ones_and_short_documents_have_none(signed):
    published = pq.read_table(GOLDEN / "minhash.parquet")["signature_sim1.0"].to_pylist()
    ours = signed[: len(published)].to_pylist()
    assert len(ours) == 200
    assert ours.count(None) == 12
    assert [bands and [np.array(ours[row], dtype=">u4").tobytes()] for row, bands in enumerate(published)] == published


@pytest.mark.parametrize("similarity", ["0.7", "0.8", "0.9", "1.0"])
def test_groups_at_every_similarity_are_the_published_ones(signed, similarity, tmp_path):
    schema = pa.schema([("id", pa.string()), signature_field("redpajama", 13, 128)])
    ids = [IDS.format(row) for row in range(len(signed))]
    pq.write_table(pa.table([ids, signed], schema=schema), tmp_path / "annotations.parquet")
    documents = Documents({"own": tmp_path / "annotations.parquet"}, tmp_path)
    documents.join_near(*best_bands(float(similarity), 128, verify=False), 0, lambda *_: None)
    rows = pa.concat_tables(documents.gone()).to_pylist()
    groups = defaultdict(set)
    for row in rows:
        groups[row["kept"]] |= {row["kept"], row["id"]}
    clusters = json.loads((GOLDEN / "clusters.json").read_text())[similarity]
    assert {_cluster_id(group): sorted(group) for group in groups.values()} == {
        int(name): sorted(members) for name, members in clusters.items()
    }


def _cluster_id(group):
    return min(int.from_bytes(hashlib.sha1(name.encode()).digest()[:8], "little") for name in group)
