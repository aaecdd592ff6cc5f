"""Personal data replaced, a core: megabytes of text per CPU second, beside what others have.

    python -m benchmarks.pii [--documents FILE] [--megabytes 4] [--times 5] [--environments FOLDER]
    python -m benchmarks.pii --show [--documents FILE] [--megabytes 4]

FILE holds JSON lines with the text in `raw_content` or `text`; without one the texts are Python's own documentation and
the descriptions of the packages that are installed. Source code of Python's standard library is measured, too. Ours
finds and replaces five kinds, from an Arrow column to an Arrow column. Others, from PyPI in environments of their own:

* datatrove: its formatter `PIIFormatter`, which replaces e-mail and public IP addresses.
* dolma: its tagger `pii_regex_with_counts_fast_v2`, which finds e-mail and IP addresses and phone numbers.

With --show nothing is measured: each different find is printed with what stands around it, for the eye.

Each turn measures all of them, so that a busy machine hurts both; a ratio is the median of the turns' ratios.
"""

import argparse
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import accumulate, takewhile
from pathlib import Path

import pyarrow as pa
from benchmarks.peers import DATATROVE, asked, compare, python_with, seconds
from benchmarks.signals import PEERS as MEASURED
from benchmarks.signals import documents, installed

from hominis.corpus.pii import replaced

PEERS = {
    "datatrove": (
        DATATROVE,
        """
from datatrove.pipeline.formatters import PIIFormatter
formatter = PIIFormatter()
def measured(texts):
    for text in texts:
        formatter.format(text)
""",
    ),
    "dolma": (
        MEASURED["dolma"].packages,
        """
from dolma.core.data_types import Document
from dolma.taggers.pii import FastPiiRegex
tagger = FastPiiRegex()
def measured(texts):
    for text in texts:
        tagger.predict(Document(source="", version="", id="0", text=text))
""",
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--megabytes", type=float, default=4.0)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--environments", type=Path, metavar="FOLDER")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environments = given.environments or Path(folder)
        for title, texts in (
            ("text", documents(given.documents) if given.documents else installed()),
            ("code", sources()),
        ):
            some = first(texts, given.megabytes)
            show(some) if given.show else beside(title, some, given.times, environments)


def sources() -> Iterator[str]:
    """Yield the files of Python's standard library."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" not in path.parts:
            yield path.read_text(encoding="utf-8", errors="replace")


def first(texts: Iterator[str], megabytes: float) -> list[str]:
    """Return texts of some megabytes together."""
    held = list(texts)
    sizes = accumulate(len(text.encode()) for text in held)
    return [text for text, _ in zip(held, takewhile(lambda size: size < megabytes * 1e6, sizes), strict=False)]


def show(texts: list[str]) -> None:
    """Print each different find."""
    _, spans = replaced(pa.array(texts, pa.large_string()))
    finds = {texts[row][start:end]: (kind, row, start, end) for row, kind, start, end in spans.iter_rows()}
    for value, (kind, row, start, end) in sorted(finds.items(), key=lambda find: find[1][0]):
        before, after = texts[row][max(0, start - 30) : start], texts[row][end : end + 20]
        print(f"{kind:10} {before!r} [{value!r}] {after!r}")


def beside(title: str, texts: list[str], times: int, environments: Path) -> None:
    """Measure all programs on the texts and print how they compare."""
    column = pa.array(texts, pa.large_string())
    size = sum(len(text.encode()) for text in texts) / 1e6
    _, spans = replaced(column)  # compiles
    kinds = dict(spans["kind"].value_counts(sort=True).iter_rows())
    print(f"{title}: {len(texts):,} documents, {size:.2f} MB, in {spans['row'].n_unique()} of them {kinds}")
    with ExitStack() as stack:
        running = {}
        for name, (packages, program) in PEERS.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            python = python_with(packages, environments / name)
            running[name] = stack.enter_context(asked(python, program, texts, folder))
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in PEERS}
        for _ in range(times):
            for name, turn in running.items():
                turns[name].append((seconds(lambda: replaced(column)), turn()))
        for name in PEERS:
            compare(name, size, turns[name])


if __name__ == "__main__":
    main()
