"""All signals of documents at once, a core: megabytes of text per CPU second, beside datatrove's filters.

    python -m benchmarks.signals [--documents FILE] [--times 5] [--peer-megabytes 1] [--peer-python PYTHON]

FILE holds JSON lines with the text in `raw_content` or `text`, compressed or not; without one the texts are Python's
own documentation and the descriptions of the packages that are installed. Ours are all document and line signals, from
Arrow columns of a megabyte to arrays. datatrove comes from PyPI into an environment of its own and runs its Gopher
quality, Gopher repetition, C4 and FineWeb filters, one after the other, on the first of the same documents. Each turn
measures both, so that a busy machine hurts both; the ratio is the median of the turns' ratios.
"""

import argparse
import json
import pydoc_data.topics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from statistics import median

import polars as pl
import pyarrow as pa
from benchmarks.peers import python_with

from hominis.corpus.kernels.lines import scan_lines
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import Texts, texts_of
from hominis.corpus.readers.lines import objects
from hominis.corpus.signals import signals
from hominis.corpus.spans import LineSignals

PEER = ("datatrove[processing,multilingual]==0.10.1", "spacy==3.8.18")
LIMIT = 60
BATCH = 2**20

FILTERS = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
texts = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
filters = [GopherQualityFilter(), GopherRepetitionFilter(), C4QualityFilter(), FineWebQualityFilter()]
for one in filters:
    one.filter(Document(text="A sentence to load what is loaded once. " * 20, id="0"))
for turn in range(int(sys.argv[2])):
    begun = time.process_time()
    for one in filters:
        for text in texts:
            one.filter(Document(text=text, id="0"))
    print(time.process_time() - begun, flush=True)
    sys.stdin.readline()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peer-megabytes", type=float, default=1.0, help="0: without the peer")
    parser.add_argument("--peer-python", help="of an environment that has the peer already")
    given = parser.parse_args()
    texts = list(documents(given.documents) if given.documents else installed())
    columns = list(batches(texts))
    size = sum(column.data.size for column in columns) / 1e6
    print(f"{len(texts):,} documents, {size:.1f} MB")
    measure(columns)  # compiles
    if not given.peer_megabytes:
        ours = [size / measure(columns) for _ in range(given.times)]
        print(f"hominis    {median(ours):6.2f} MB/s ({min(ours):.1f} to {max(ours):.1f})")
        return
    few = next(batches(texts, int(given.peer_megabytes * 1e6)))
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as name:
        for seconds in peer(Path(name), texts[: few.number], given.times, given.peer_python):
            theirs.append(few.data.size / 1e6 / seconds)
            ours.append(size / measure(columns))
    for title, speeds in (("datatrove", theirs), ("hominis", ours)):
        print(f"{title:10} {median(speeds):6.2f} MB/s ({min(speeds):.2f} to {max(speeds):.2f})")
    ratios = [mine / peer for mine, peer in zip(ours, theirs, strict=True)]
    print(f"ratio {median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f}); wanted {LIMIT}")


def documents(path: Path) -> Iterator[str]:
    """Yield the texts of a file of JSON lines."""
    for line in objects(path, 2**28):
        text = (line.value or {}).get("raw_content") or (line.value or {}).get("text")
        if isinstance(text, str):
            yield text


def installed() -> Iterator[str]:
    """Yield documentation that is on this machine."""
    yield from pydoc_data.topics.topics.values()
    for found in distributions():
        description = found.metadata.get("Description") or found.metadata.get_payload()
        if isinstance(description, str) and description.strip():
            yield description


def batches(texts: list[str], least: int = BATCH) -> Iterator[Texts]:
    """Yield the texts as columns of about ``least`` bytes."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text.encode())
        if size >= least:
            yield texts_of(pl.Series(held))
            held, size = [], 0
    if held:
        yield texts_of(pl.Series(held))


def measure(columns: list[Texts]) -> float:
    """Return the CPU seconds that all signals take."""
    begun = time.process_time()
    for raw in columns:
        normal = normalised(raw)
        scanned = scan_lines(raw, normal.lines)
        signals(raw, normal, scanned, pa.array(["en"] * raw.number))
        LineSignals.of(normal, scanned)
    return time.process_time() - begun


def peer(folder: Path, texts: list[str], times: int, python: str | None) -> Iterator[float]:
    """Yield the CPU seconds that each turn of datatrove's filters takes; it waits until it is asked for the next."""
    python = python or python_with(PEER, folder / "env")
    lines = folder / "texts.jsonl"
    lines.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    command = [python, "-c", FILTERS, str(lines), str(times)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin
        assert running.stdout
        for _ in range(times):
            yield float(running.stdout.readline())
            running.stdin.write("\n")
            running.stdin.flush()


if __name__ == "__main__":
    main()
