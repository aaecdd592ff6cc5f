"""Code files per CPU second through the licence filter, the rules and the language, over Python's own library.

    python benchmarks/github.py [FOLDER]

Prints MB of text per CPU second of the checks alone, in memory, and end to end from JSON lines (gzip) as RedPajama-v1
has them, with what was dropped. The aim: at least 50 MB/s for the checks.
"""

from __future__ import annotations

import gzip
import json
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from pathlib import Path

from hominis.corpus.code.fields import Stated
from hominis.corpus.code.licences import Licences
from hominis.corpus.readers import github
from hominis.corpus.readers.records import Chosen, Reading, Record

LIMIT = 2**20
ROUNDS = 5


def texts(root: Path) -> list[tuple[str, str]]:
    """Return paths and texts of a folder's Python files that are UTF-8."""
    found = []
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        try:
            if "site-packages/" not in name:
                found.append((name, path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def checks(files: list[tuple[str, str]]) -> tuple[float, Counter[str]]:
    """Return CPU seconds of the fastest of some rounds, and how many files each reason had."""
    licences = Licences()
    rows = [(Record(name, text), Stated(name, licences=("mit",))) for name, text in files]
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        reasons = Counter(github._checked(record, about, licences).reason for record, about in rows)
        best = min(best, time.process_time() - start)
    return best, reasons


def end_to_end(files: list[tuple[str, str]]) -> float:
    """Return CPU seconds from gzipped JSON lines to records."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "github.jsonl.gz")
        with gzip.open(path, "wt", compresslevel=6) as lines:
            for name, text in files:
                meta = {"repo_name": "python/cpython", "path": name, "license": "mit"}
                lines.write(json.dumps({"text": text, "meta": meta}) + "\n")
        start = time.process_time()
        for _ in github.records(path, Reading(format="github"), LIMIT, Chosen(None)):
            pass
        return time.process_time() - start


def main() -> None:
    """Print the figures."""
    files = texts(Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib")))
    size = sum(len(text.encode()) for _, text in files) / 1e6
    seconds, reasons = checks(files)
    print(f"{len(files)} files, {size:.1f} MB")
    print(f"checks: {size / seconds:.0f} MB per CPU second, {1e6 * seconds / len(files):.0f} µs a file")
    print(f"gzipped JSON lines to records: {size / end_to_end(files):.0f} MB per CPU second")
    print("dropped: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common() if reason))


if __name__ == "__main__":
    main()
