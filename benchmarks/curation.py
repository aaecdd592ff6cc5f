"""Raw documents to selected ones: megabytes of text a CPU second, and memory, of each stage and of all.

    python -m benchmarks.curation [--megabytes 20 40 80] [--workers 1 2] [--layout redpajama github]
    python -m benchmarks.curation --hard

The documents are pieces of Python's own sources and its packages', in RedPajama-v2's layout and half of them without a
language, or whole files as RedPajama-v1 has code (--layout github); where more text is asked for, the same sources are
cut anew at other lines. Everything is on: language, all signals, own signatures, deduplication, a policy,
decontamination, personal data. Each stage runs in a process of its own, through a real store; CPU seconds are its and
its children's, starting them included; memory is the most that one process has had. Stages of a few seconds are
measured best on an idle machine.

With --hard the documents are of 8 MB each, of newlines, of words of one letter, of lines all different and so on, with
a line of a gigabyte between them.
"""

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from itertools import count, product
from pathlib import Path
from typing import Any, NamedTuple

from tests.unit.corpus.raw_files import row
from tests.unit.corpus.redpajama_files import SHARD, document

from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.config.evaluate import QuestionsSection
from hominis.stages import STAGES
from hominis.store import artefacts, run
from hominis.store.files import digest
from hominis.store.site import Site
from hominis.store.types import Artefact

NAMES = {"redpajama": "en_head.json.gz", "github": "code.jsonl.gz"}
SOURCES: dict[str, dict[str, str]] = {
    "redpajama": {"format": "redpajama", "revision": SHARD},
    "github": {"format": "github", "licence": "see the records"},
}
NEEDED, MEASURED = ("fetch", "questions"), ("annotate", "deduplicate", "select")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[20, 40, 80])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--layout", choices=NAMES, nargs="+", default=["redpajama"])
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(stage(given.folder, given.stage, given.workers[0], given.layout[0])))
        return
    sizes = [None] if given.hard else given.megabytes
    for layout, megabytes, workers in product(given.layout, sizes, given.workers):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), megabytes, workers, layout)


class Figures(NamedTuple):
    """What a stage took: CPU seconds, seconds, and megabytes of memory of its largest process."""

    cpu: float
    wall: float
    megabytes: float


def measure(
    folder: Path, megabytes: float | None, workers: int, layout: str = "redpajama"
) -> tuple[float, dict[str, Figures]]:
    """Print the figures of one size (None: of hard documents); return the megabytes of text and figures by stage."""
    path = folder / NAMES[layout]
    size = write(path, megabytes) if megabytes else write_hard(path)
    print(f"{size:.0f} MB of text, {path.stat().st_size / 1e6:.1f} compressed; {layout}; {workers} at work", flush=True)
    command = [sys.executable, "-m", "benchmarks.curation", "--folder", str(folder), "--layout", layout]
    command += ["--workers", str(workers), "--stage"]
    taken = {}
    for name in (*NEEDED, *MEASURED):
        said = subprocess.run([*command, name], check=True, stdout=subprocess.PIPE, text=True)
        found = Figures(*json.loads(said.stdout.splitlines()[-1]))
        if name in MEASURED:
            taken[name] = found
            line = f"  {name:12} {size / found.cpu:7.1f} MB/CPU s {size / found.wall:7.1f} MB/s"
            print(line + f" {found.megabytes:6.0f} MB of memory", flush=True)
    cpu, wall = (sum(getattr(found, name) for found in taken.values()) for name in ("cpu", "wall"))
    print(f"  {'all':12} {size / cpu:7.1f} MB/CPU s {size / wall:7.1f} MB/s", flush=True)
    return size, taken


def write(path: Path, megabytes: float, pieces: Iterator[str] | None = None) -> float:
    """Write a file of documents, the next of some pieces; return the megabytes of its text."""
    size = 0.0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        of_code = path.name == NAMES["github"]
        for number, text in enumerate(pieces or texts(10_000 if of_code else 100)):
            line = code(number, text) if of_code else page(number, text)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            size += len(text.encode()) / 1e6
            if size >= megabytes:
                return size
    raise AssertionError("texts never end")


def page(number: int, text: str) -> dict[str, Any]:
    """Return a document as RedPajama-v2 has it."""
    return document(text, url=f"https://www.example.org/{number}", language="en" if number % 2 else None)


def code(number: int, text: str) -> dict[str, Any]:
    """Return a file as RedPajama-v1 has those of GitHub."""
    return {"text": text, "meta": {"repo_name": "python/cpython", "path": f"Lib/{number}.py", "license": "mit"}}


def write_hard(path: Path) -> float:
    """Write a file of documents that are hard to bear; return the megabytes of the text that can be taken."""
    most = 8 * 2**20
    lines = "".join(f"{number:x}\n" for number in range(most // 6))[:most]
    hard = [
        "x" + "\n" * (most - 1),
        "a " * (most // 2),
        "a\n" * (most // 2),
        lines,
        lines.replace("\n", " "),
        "a" * most,
    ]
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for text in hard:
            file.write(json.dumps(document(text, language=None)) + "\n")
            for _ in range(2**30 // most if text is hard[2] else 0):
                file.write(noise(most))
        file.write("\n")
    return sum(map(len, hard)) / 1e6


def noise(size: int) -> str:
    """Return text without an end of a line that compresses no better than text does."""
    return random.randbytes(size // 2).hex()


def texts(lines: int = 100) -> Iterator[str]:
    """Yield pieces of Python's own sources and its packages': of so many lines, then of 13 more, and so on."""
    paths = [p for place in ("stdlib", "purelib") for p in sorted(Path(sysconfig.get_path(place)).rglob("*.py"))]
    for length in count(lines, 13):
        for path in paths:
            source = path.read_text(encoding="utf-8", errors="ignore").splitlines(keepends=True)
            for begin in range(0, len(source), length):
                piece = "".join(source[begin : begin + length])
                if piece.strip() and "\0" not in piece:
                    yield piece


def stage(folder: Path, wanted: str, workers: int, layout: str = "redpajama") -> Figures:
    """Run the stages up to the wanted one, of which the others are in the store; return what it took."""
    source = row(folder / NAMES[layout], name="shard", **SOURCES[layout])
    sections = {
        "fetch": FetchSection(sources=(source,)),
        "questions": QuestionsSection(tasks=("bits_per_byte", "humaneval")),
        "annotate": AnnotateSection(workers=workers),
        "deduplicate": DeduplicateSection(),
        "select": SelectSection(policies={"web": "code"}, workers=workers),
    }
    site, made = Site.at(folder / "site"), dict[str, list[Artefact]]()
    for name, section in sections.items():
        before, begun = seconds(), time.monotonic()
        needed = {upstream: made[upstream] for upstream in STAGES[name].inputs}
        made[name] = []
        for part in STAGES[name].parts(section, needed):
            refs = {
                upstream: [_ref(a) for a in found if a.part in part.inputs.get(upstream, [a.part])]
                for upstream, found in needed.items()
            }
            run.run_part(site, STAGES[name], section, part, refs, run="benchmark")
            made[name].append(artefacts.open_artefact(site, name, run.key_of(STAGES[name], section, part, refs)))
        if name == wanted:
            break
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Figures(seconds() - before, time.monotonic() - begun, used / 1024)


def _ref(artefact: Artefact) -> tuple[str, str]:
    return artefact.receipt.key, digest((artefact.path / artefacts.RECEIPT).read_text())


def seconds() -> float:
    """Return the CPU seconds of this process and those that it waited for."""
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


if __name__ == "__main__":
    main()
