"""Runs of 13 words of HumanEval's items sought in text: megabytes a CPU second and core, beside others.

    python -m benchmarks.contamination [--texts FILE] [--megabytes 40] [--peer-megabytes 1] [--times 5]
                                       [--environments FOLDER]

The text is Python's own and its packages' sources, or any given as JSON lines (FILE, field ``text``). Megabytes are of
raw text, UTF-8; normalising is part of it. ``plain`` is Python: the words of the text in lower case without ASCII
punctuation (accents stay as they are), and a set of tuples. datatrove's filter is given its hashes of the same items'
runs of 13 words; its words are spaCy's.
"""

import json
import string
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median

import pyarrow as pa
from benchmarks.minhash import read, size, until
from benchmarks.peers import DATATROVE, asked, compare, options, python_with, seconds
from tests.unit.corpus.planted import pieces

from hominis.corpus.contamination import RUN, Contamination
from hominis.evaluate import humaneval

DATATROVES = """
from pathlib import Path
import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter
from datatrove.utils.hashing import HashConfig, create_hash_func
from datatrove.utils.text import ngrams, simplify_text
from datatrove.utils.word_tokenizers import load_word_tokenizer
settings = NGramsDecontConfig(n_grams=13, hash_config=HashConfig(precision=64, hash_fc="xxhash"))
words, hashed = load_word_tokenizer("eng").word_tokenize, create_hash_func(settings.hash_config)
items = [words(simplify_text(item, settings.norm_config)) for item in json.load(open(sys.argv[2], encoding="utf-8"))]
hashes = sorted({hashed(" ".join(run)) for item in items for run in ngrams(item, 13)})
Path(sys.argv[3]).mkdir()
np.array(hashes, dtype=settings.hash_config.np_descr).tofile(sys.argv[3] + "/humaneval.index.hashes")
step = NGramsDecontFilter(sys.argv[3], settings)
assert not step.filter(Document(text=json.load(open(sys.argv[2]))[0], id=""))[0]
def measured(texts):
    for number, text in enumerate(texts):
        step.filter(Document(text=text, id=str(number)))
"""


def main() -> None:
    """Measure and print."""
    given = options(__doc__).parse_args()
    texts = until(read(given.texts) if given.texts else list(islice(pieces(1000), 100_000)), given.megabytes)
    items = humaneval.solved()
    ours = Contamination(("humaneval", name, text) for name, text in items.items())
    alone(ours, texts, given.times)
    few = until(texts, given.peer_megabytes)
    column, megabytes, plain = pa.array(few, pa.large_string()), sum(map(size, few)), plainly(items.values(), few)
    compare("plain", megabytes, [(seconds(lambda: ours.touched(column)), seconds(plain)) for _ in range(given.times)])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "items.json").write_text(json.dumps(list(items.values())), encoding="utf-8")
        python = python_with(DATATROVE, (given.environments or Path(folder)) / "datatrove")
        with asked(python, DATATROVES, few, Path(folder), f"{folder}/items.json", f"{folder}/index") as turn:
            turns = [(seconds(lambda: ours.touched(column)), turn()) for _ in range(given.times)]
    compare("datatrove", megabytes, turns)


def alone(ours: Contamination, texts: list[str], times: int) -> None:
    """Print our speed."""
    column, megabytes = pa.array(texts, pa.large_string()), sum(map(size, texts))
    found = ours.touched(column).height  # compiles
    speed = megabytes / median(seconds(lambda: ours.touched(column)) for _ in range(times))
    print(f"{len(texts):,} documents, {found} hold an item, {megabytes:.1f} MB: {speed:.1f} MB/s", flush=True)


def plainly(items: Iterable[str], texts: list[str]) -> Callable[[], int]:
    """Return a function that counts the texts which share a run of words with an item, in plain Python."""
    table = str.maketrans("", "", string.punctuation)

    def runs(text: str) -> Iterator[tuple[str, ...]]:
        words = text.translate(table).lower().split()
        return zip(*(islice(words, first, None) for first in range(RUN)), strict=False)

    known = {run for item in items for run in runs(item)}
    return lambda: sum(any(run in known for run in runs(text)) for text in texts)


if __name__ == "__main__":
    main()
