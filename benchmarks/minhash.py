"""MinHash signatures: megabytes of text a CPU second and core, of both kinds, beside datatrove's signature step.

    python -m benchmarks.minhash [--megabytes 40] [--peer-megabytes 1] [--times 3]

The text is Python's own and its packages' sources, or any given as JSON lines (``--texts FILE``, field ``text``).
Megabytes are of raw text, UTF-8. Ours is measured without and with normalising; datatrove's step simplifies its text
and divides it into words, too. It is installed from PyPI into an environment of its own, and takes shingles of 5
words and 16 x 8 = 128 values with xxhash, its faster choice.
"""

import argparse
import json
import subprocess
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

import pyarrow as pa
from benchmarks.peers import python_with
from tests.unit.corpus.planted import pieces

from hominis.corpus.kernels.normalise import normalise
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.minhash import Kind, signatures

PEER = ("datatrove[processing]==0.10.1", "spacy", "nltk")

PEER_SCRIPT = """
import json, sys, tempfile, time
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig

documents = [Document(text=json.loads(line)["text"], id=str(i)) for i, line in enumerate(open(sys.argv[1]))]
settings = MinhashConfig(
    n_grams=5, num_buckets=16, hashes_per_bucket=8, hash_config=HashConfig(precision=64, hash_fc="xxhash")
)
for part in (documents[:3], documents):
    step = MinhashDedupSignature(output_folder=tempfile.mkdtemp(), config=settings)
    begun = time.process_time()
    step.run(iter(part), rank=0, world_size=1)
    taken = time.process_time() - begun
print(sum(len(document.text.encode()) for document in documents) / 1e6 / taken)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=40)
    parser.add_argument("--peer-megabytes", type=float, default=1)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--texts", type=Path)
    given = parser.parse_args()
    found = read(given.texts) if given.texts else list(islice(pieces(1000), 100_000))
    texts = until(found, given.megabytes)
    print(f"{len(texts):,} documents, {sum(map(size, texts)):.1f} MB")
    whole = ours(texts, given.times)
    with tempfile.TemporaryDirectory() as folder:
        peer = theirs(until(texts, given.peer_megabytes), Path(folder))
    print(f"datatrove {peer:8.2f} MB/s; own, normalised as well: {whole / peer:,.0f} times as fast")


def ours(texts: list[str], times: int) -> float:
    """Print our speeds; return that of our own signature with normalising."""
    raw, megabytes = texts_of(pa.array(texts, pa.large_string())), sum(map(size, texts))
    normal = normalise(raw)

    def sign(kind: Kind) -> object:
        return signatures(normal, kind, 13 if kind == "redpajama" else 5, 128)

    taken: dict[str, list[float]] = {"normalise": [], "own": [], "redpajama": []}
    for _ in range(times + 1):  # the first compiles
        for name, seconds in taken.items():
            begun = time.process_time()
            normalise(raw) if name == "normalise" else sign("own" if name == "own" else "redpajama")
            seconds.append(time.process_time() - begun)
    least = {name: median(seconds[1:]) for name, seconds in taken.items()}
    print(f"normalise {megabytes / least['normalise']:8.1f} MB/s")
    for kind in ("own", "redpajama"):
        both = least[kind] + least["normalise"]
        print(f"{kind:9} {megabytes / least[kind]:8.1f} MB/s; normalised as well {megabytes / both:8.1f} MB/s")
    return megabytes / (least["own"] + least["normalise"])


def theirs(texts: list[str], folder: Path) -> float:
    """Return datatrove's megabytes a CPU second."""
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    command = [python_with(PEER, folder / "env"), "-c", PEER_SCRIPT, folder / "texts.jsonl"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    return float(said.stdout.split()[-1])


def read(path: Path) -> list[str]:
    """Return the texts of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def until(texts: list[str], megabytes: float) -> list[str]:
    """Return the first texts that hold that much together."""
    taken, total = [], 0.0
    for text in texts:
        if total >= megabytes:
            break
        taken.append(text)
        total += size(text)
    return taken


def size(text: str) -> float:
    """Return the megabytes of a text."""
    return len(text.encode()) / 1e6


if __name__ == "__main__":
    main()
