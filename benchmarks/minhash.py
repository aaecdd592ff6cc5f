"""MinHash signatures: megabytes of text a CPU second and core, of both kinds, beside datatrove's and RedPajama-v2's.

    python -m benchmarks.minhash [--texts FILE] [--megabytes 40] [--peer-megabytes 1] [--times 5]
                                 [--redpajama CHECKOUT] [--environments FOLDER]

The text is Python's own and its packages' sources, or any given as JSON lines (FILE, field ``text``). Megabytes are of
raw text, UTF-8. Ours is measured without and with normalising; beside the others with it, for they simplify their text
and divide it into words, too. datatrove is installed from PyPI into an environment of its own, and takes shingles of
5 words and 16 x 8 = 128 values with xxhash, its faster choice; it stands beside our own signature. RedPajama-v2's code
(CHECKOUT is a clone of https://github.com/togethercomputer/RedPajama-Data) makes the signature of 13 words with SHA-1.
"""

import json
import tempfile
from itertools import islice
from pathlib import Path
from statistics import median

import pyarrow as pa
from benchmarks.peers import DATATROVE, asked, compare, options, python_with, seconds
from tests.unit.corpus.planted import pieces

from hominis.corpus.kernels.normalise import normalise
from hominis.corpus.kernels.texts import Texts, texts_of
from hominis.corpus.minhash import Kind, signatures

SIZES: dict[Kind, int] = {"own": 5, "redpajama": 13}
VALUES = 128

PEERS: dict[str, tuple[tuple[str, ...], Kind, str]] = {
    "datatrove": (
        DATATROVE,
        "own",
        """
import tempfile
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
settings = MinhashConfig(
    n_grams=5, num_buckets=16, hashes_per_bucket=8, hash_config=HashConfig(precision=64, hash_fc="xxhash")
)
def measured(texts):
    step = MinhashDedupSignature(output_folder=tempfile.mkdtemp(dir=sys.argv[2]), config=settings)
    step.run((Document(text=text, id=str(number)) for number, text in enumerate(texts)), rank=0, world_size=1)
""",
    ),
    "redpajama": (
        ("nltk==3.9.2", "numpy", "scipy", "msgspec", "typing_extensions"),
        "redpajama",
        """
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[3]) / "app" / "src"))
from dedupe.minhash import MinHash
from utilities.text import normalize
minhash = MinHash(similarity_thresholds=[0.7, 0.8, 0.9, 1.0], ngram_size=13, num_permutations=128, seed=42)
def measured(texts):
    for text in texts:
        minhash.compute_banded_signatures(tokens=tuple(normalize(text).split()))
""",
    ),
}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--redpajama", type=Path, metavar="CHECKOUT")
    given = parser.parse_args()
    found = read(given.texts) if given.texts else list(islice(pieces(1000), 100_000))
    texts = until(found, given.megabytes)
    print(f"{len(texts):,} documents, {sum(map(size, texts)):.1f} MB")
    alone(texts, given.times)
    few = until(texts, given.peer_megabytes)
    for name in PEERS:
        if name == "redpajama" and not given.redpajama:
            print("redpajama  left out: no --redpajama CHECKOUT of github.com/togethercomputer/RedPajama-Data")
        else:
            with tempfile.TemporaryDirectory() as folder:
                environment = (given.environments or Path(folder)) / name
                beside(name, few, given.times, environment, (folder, str(given.redpajama)))


def alone(texts: list[str], times: int) -> None:
    """Print our speeds."""
    raw, megabytes = texts_of(pa.array(texts, pa.large_string())), sum(map(size, texts))
    normal = normalise(raw)
    first = median(seconds(lambda: normalise(raw)) for _ in range(times))
    print(f"{'normalise':10} {megabytes / first:8.1f} MB/s")
    for kind in SIZES:
        sign(normal, kind)  # compiles
        taken = median(seconds(lambda kind=kind: sign(normal, kind)) for _ in range(times))
        both = megabytes / (taken + first)
        print(f"{kind:10} {megabytes / taken:8.1f} MB/s; normalised as well {both:8.1f} MB/s", flush=True)


def beside(name: str, texts: list[str], times: int, environment: Path, arguments: tuple[str, str]) -> None:
    """Print our speed, normalising included, beside a peer's."""
    packages, kind, program = PEERS[name]
    raw, python = texts_of(pa.array(texts, pa.large_string())), python_with(packages, environment)
    with asked(python, program, texts, Path(arguments[0]), *arguments) as turn:
        turns = [(seconds(lambda: sign(normalise(raw), kind)), turn()) for _ in range(times)]
    compare(name, sum(map(size, texts)), turns)


def sign(normal: Texts, kind: Kind) -> object:
    """Make signatures of that kind."""
    return signatures(normal, kind, SIZES[kind], VALUES)


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
