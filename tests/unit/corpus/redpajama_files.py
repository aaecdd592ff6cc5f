"""Files of RedPajama-v2 in the published layout, and the rows of the table of sources that describe them."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.corpus.raw_files import json_lines, row

SHARD = "2023-06/0000"
STEM = "en_head"


def document(text: str, **changes) -> dict:
    """A line of a file of documents."""
    given = {
        "url": "https://www.example.org/page",
        "date_download": "2023-02-01T05:42:32Z",
        "digest": "sha1:MPMIIQ7D6V4GKZS47JVLUTJAEWGPJ6RS",
        "length": len(text),
        "nlines": text.count("\n") + 1,
        "source_domain": "www.example.org",
        "title": "Page",
        "raw_content": text,
        "cc_segment": "crawl-data/CC-MAIN-2023-06/segments/1/wet/1.warc.wet.gz",
        "original_nlines": 9,
        "original_length": 999,
        "line_ids": [0, 1],
        "language": "en",
        "language_score": 0.93,
        "perplexity": 149.5,
        "bucket": "head",
    }
    return {**given, **changes}


def id_of(index: int) -> str:
    return f"{SHARD}/{STEM}.json.gz/{index}"


def signals_of(index: int, given: dict, **values) -> dict:
    """A line of a file of signals; ``values`` are those of the document."""
    end = len(given["raw_content"])
    return {
        "id": id_of(index),
        "id_int": index,
        "metadata": {"url": given["url"], "source_domain": given["source_domain"], "snapshot_id": "2023-06"},
        "quality_signals": {
            "ccnet_perplexity": [[0, end, given["perplexity"]]],
            **{name: [[0, end, value]] for name, value in values.items()},
            "rps_lines_num_words": [[0, end, 5]],
        },
    }


def documents_file(root: Path, lines) -> Path:
    return json_lines(_made(root / "documents" / SHARD / f"{STEM}.json.gz"), lines)


def signals_file(root: Path, lines) -> Path:
    return json_lines(_made(root / "quality_signals" / SHARD / f"{STEM}.signals.json.gz"), lines)


def duplicates_file(root: Path, listed) -> Path:
    """``listed``: index of a document → its digest."""
    path = _made(root / "duplicates" / SHARD / f"{STEM}.duplicates.parquet")
    columns = {
        "shard_id": [f"{SHARD}/{STEM}.json.gz"] * len(listed),
        "doc_id": [id_of(index) for index in listed],
        "digest": [digest.removeprefix("sha1:") for digest in listed.values()],
    }
    pq.write_table(pa.table(columns, pa.schema([(name, pa.string()) for name in columns])), path)
    return path


def minhash_file(root: Path, values) -> Path:
    """``values``: index of a document → the 128 values of its signature, or None."""
    path = _made(root / "minhash" / SHARD / f"{STEM}.minhash.parquet")
    whole = [None if given is None else [b"".join(n.to_bytes(4, "big") for n in given)] for given in values.values()]
    columns = {"id": [id_of(index) for index in values], "signature_sim1.0": pa.array(whole, pa.list_(pa.binary()))}
    pq.write_table(pa.table(columns), path)
    return path


def rows(documents: Path, *about: Path, **changes) -> tuple:
    """Their rows: the documents' is named ``shard``."""
    own = row(documents, name="shard", format="redpajama", revision=SHARD, **changes)
    return own, *(row(path, name=path.name.split(".")[1], of="shard") for path in about)


def lines_of(path: Path) -> list:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
