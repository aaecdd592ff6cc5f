"""All signals of documents at once, a core: megabytes of text per CPU second, beside what others have.

    python -m benchmarks.signals [--documents FILE] [--megabytes 1] [--times 5] [--redpajama CHECKOUT]
                                 [--peers datatrove dolma redpajama] [--environments FOLDER]

FILE holds JSON lines with the text in `raw_content` or `text`, compressed or not; without one the texts are Python's
own documentation and the descriptions of the packages that are installed. All measure the same megabytes, each in one
process. Ours are all document and line signals, from Arrow columns of a megabyte to arrays. The others come from PyPI
into environments of their own, which stay in FOLDER for the next time where one is given:

* datatrove: its Gopher quality, Gopher repetition, C4 and FineWeb filters, one after the other. Its words are spaCy's
  (a blank English pipeline, no model), as they are by default.
* dolma: its taggers `gopher_v1` and `repetitions_v1`. Importing dolma asks for NLTK's punkt, which neither uses.
* redpajama: RedPajama-v2's own code, of which there is no package: CHECKOUT is a clone of
  https://github.com/togethercomputer/RedPajama-Data. Its content, repetition, language and line signals, called as its
  worker calls them; those that need its models are left out, for we don't have them either.

Each turn measures all of them, so that a busy machine hurts all; a ratio is the median of the turns' ratios.
"""

import argparse
import pydoc_data.topics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
from benchmarks.peers import DATATROVE, asked, compare, python_with, seconds

from hominis.corpus.kernels.lines import scan_lines
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import Texts, texts_of
from hominis.corpus.readers.lines import objects
from hominis.corpus.signals import signals
from hominis.corpus.spans import LineSignals

BATCH = 2**20


class Peer(NamedTuple):
    """A peer: what it comes from, how many times its speed is wanted, and its program (see ``benchmarks.peers``)."""

    packages: tuple[str, ...]
    wanted: int
    program: str


PEERS = {
    "datatrove": Peer(
        DATATROVE,
        60,
        """
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
filters = [GopherQualityFilter(), GopherRepetitionFilter(), C4QualityFilter(), FineWebQualityFilter()]
def measured(texts):
    for one in filters:
        for text in texts:
            one.filter(Document(text=text, id="0"))
for one in filters:
    one.filter(Document(text="A sentence to load what is loaded once. " * 20, id="0"))
""",
    ),
    "dolma": Peer(
        # what s3fs may stand beside, said here: pip looks for it for a long time
        ("dolma==1.2.1", "s3fs==2023.6.0", "aiobotocore==2.5.4", "boto3==1.28.17"),
        25,
        """
from dolma.core.data_types import Document
from dolma.taggers.gopher import GopherTagger
from dolma.taggers.repetitions import RepetitionsTagger
taggers = [GopherTagger(), RepetitionsTagger()]
def measured(texts):
    for one in taggers:
        for text in texts:
            one.predict(Document(source="", version="", id="0", text=text))
""",
    ),
    "redpajama": Peer(
        ("nltk==3.9.2", "numpy", "scipy", "msgspec", "typing_extensions"),  # what these parts of it import
        30,
        """
from pathlib import Path
checkout, bad_words, folder = sys.argv[2:]
sys.path.insert(0, str(Path(checkout) / "app" / "src"))
Path(folder, "domain_to_category_id.json").write_text("{}")
from core.document import Document
from core.quality_signals.content import register_content_callables
from core.quality_signals.lines import register_lines_callables
from core.quality_signals.natural_language import register_natural_language_callables
from core.quality_signals.repetitions import register_repetitions_callables
signals = register_content_callables(language="en", bad_urls_dir=folder, bad_words_dir=bad_words)
signals += register_repetitions_callables() + register_natural_language_callables() + register_lines_callables()
def measured(texts):
    for text in texts:
        document = Document(text, domain="", precompute_ngrams=True)
        for one in signals:
            one(document)
""",
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--redpajama", type=Path, metavar="CHECKOUT")
    parser.add_argument("--environments", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    texts = list(documents(given.documents) if given.documents else installed())
    texts = texts[: next(batches(texts, int(given.megabytes * 1e6))).number]
    columns = list(batches(texts))
    size = sum(column.data.size for column in columns) / 1e6
    print(f"{len(texts):,} documents, {size:.2f} MB")
    measure(columns)  # compiles
    ours = sorted(size / seconds(lambda: measure(columns)) for _ in range(given.times))
    print(f"{'hominis':10} {ours[len(ours) // 2]:6.1f} MB/s ({ours[0]:.1f} to {ours[-1]:.1f})", flush=True)
    if "redpajama" in given.peers and not given.redpajama:
        print("redpajama  left out: no --redpajama CHECKOUT of github.com/togethercomputer/RedPajama-Data")
        given.peers.remove("redpajama")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        extra = {"redpajama": (str(given.redpajama), str(files("hominis.corpus.lists") / "bad"), str(folder))}
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in given.peers}
        running = {}
        for name in given.peers:
            python = python_with(PEERS[name].packages, (given.environments or folder) / name)
            peer = asked(python, PEERS[name].program, texts, folder, *extra.get(name, ()))
            running[name] = stack.enter_context(peer)
        for _ in range(given.times):
            for name, turn in running.items():
                turns[name].append((seconds(lambda: measure(columns)), turn()))
        for name in given.peers:
            compare(name, size, turns[name], PEERS[name].wanted)


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


def measure(columns: list[Texts]) -> None:
    """Measure all signals of all columns."""
    for raw in columns:
        normal = normalised(raw)
        scanned = scan_lines(raw, normal.lines)
        signals(raw, normal, scanned, pa.array(["en"] * raw.number))
        LineSignals.of(normal, scanned)


if __name__ == "__main__":
    main()
