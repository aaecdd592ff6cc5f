"""LaTeX to text: this reader beside pylatexenc, in CPU seconds over the same papers, in one run.

    python -m benchmarks.arxiv [--megabytes 20] [--times 3] [--folder FOLDER]

The papers and manuals are those of four source distributions from the package index (biopython 1.65, emcee 3.1.6,
celerite 0.4.3, george 0.4.4), packed as arXiv packs its bulk tars, over and over until there are enough; or those in
the archives of FOLDER. pylatexenc is installed into an environment of its own in a temporary folder; it reads each
main file once: it resolves no files and expands no macros.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.peers import python_with

from hominis.corpus import packages
from hominis.corpus.latex.files import Files, is_source
from hominis.corpus.latex.mainfile import roots
from hominis.corpus.latex.paper import paper
from hominis.corpus.readers import archives, arxiv
from hominis.corpus.readers.records import Chosen, Reading

PAPERS = (
    ("biopython", "1.65", "6d591523ba4d07a505978f6e1d7fac57e335d6d62fb5b0bcb8c40bdde5c8998e"),
    ("emcee", "3.1.6", "11af4daf6ab8f9ca69681e3c29054665db7bbd87fd4eb8e437d2c3a1248c637d"),
    ("celerite", "0.4.3", "aa8b487f57a7cc9793c4652b19b2df090beaa849730b50805f030694e94d0f6d"),
    ("george", "0.4.4", "dbf5e10aded012a67c48dc52bed5636523552a4ff2775946bad8b9cca9b501e8"),
)
PEER = "pylatexenc==2.11"
PEER_SCRIPT = """
import sys, time
from pylatexenc.latex2text import LatexNodes2Text
texts = [open(path, encoding="utf-8", errors="replace").read() for path in sys.argv[1:]]
seconds = read = failed = 0
for text in texts:
    begun = time.process_time()
    try:
        LatexNodes2Text(keep_comments=False, math_mode="verbatim").latex_to_text(text, tolerant_parsing=True)
    except IndexError:
        failed += 1
        continue
    seconds, read = seconds + time.process_time() - begun, read + len(text)
print(read / 1e6 / seconds, failed)
"""
LIMIT = 8 * 2**20

Sources = dict[str, bytes]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        found = list(papers(given.folder or fetched(root / "sdists")))
        size = sum(map(length, found)) / 1e6
        rounds = max(1, round(given.megabytes / size))
        tar = bulk(root / "arXiv_src_2101_001.tar", found * rounds)
        print(f"{len(found)} papers, {size:.2f} MB of LaTeX, {rounds} times over")
        alone = [rate(lambda: [paper(one, LIMIT) for one in found * rounds], size * rounds) for _ in range(given.times)]
        print(f"LaTeX to text      {median(alone):6.1f} MB/s ({min(alone):.1f} to {max(alone):.1f}); at least 10")
        read = Reading(format="arxiv")
        whole = [
            rate(lambda: list(arxiv.records(tar, read, LIMIT, Chosen(None))), size * rounds) for _ in range(given.times)
        ]
        print(f"bulk tar to texts  {median(whole):6.1f} MB/s ({min(whole):.1f} to {max(whole):.1f})")
        peer, failed = theirs(root, found)
        print(f"{PEER}   {peer:6.2f} MB/s over those that it can read (it raises on {failed} of {len(found)})")
        print(f"ratio {median(alone) / peer:.0f}")


def rate(work: Callable[[], object], megabytes: float) -> float:
    """Return megabytes per CPU second."""
    begun = time.process_time()
    work()
    return megabytes / (time.process_time() - begun)


def fetched(folder: Path) -> Path:
    """Download the source distributions; return the folder that they are in."""
    folder.mkdir()
    finder = packages.finder()
    for project, version, sha256 in PAPERS:
        file = f"{project}-{version}.tar.gz"
        with finder.session.get_stream(packages.link(finder, project, version, file).url_without_fragment) as response:
            content = b"".join(response.iter_raw(1 << 20))
        assert hashlib.sha256(content).hexdigest() == sha256, f"{file} is not the file it should be"
        (folder / file).write_bytes(content)
    return folder


def papers(folder: Path) -> Iterator[Sources]:
    """Yield the files that each paper of the archives of a folder is made of, the main one as ``ms.tex``."""
    for path in sorted(folder.iterdir()):
        members = archives.members(path, is_source, LIMIT) or ()
        project = {name: content for name, content in members if content is not None}
        for main in roots(Files(project, LIMIT)):
            files = Files(project, LIMIT)
            files.whole(main)
            at = main.rpartition("/")[0] + "/"
            yield {name.removeprefix(at) if name != main else "ms.tex": files.contents[name] for name in files.used}


def length(one: Sources) -> int:
    """Return the bytes of a paper's files."""
    return sum(map(len, one.values()))


def bulk(path: Path, found: list[Sources]) -> Path:
    """Write a tar as arXiv makes them."""
    with tarfile.open(path, "w") as archive:
        for index, one in enumerate(found):
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as files:
                for name, content in one.items():
                    add(files, name, content)
            add(archive, f"2101/2101.{index:05d}.gz", gzip.compress(inner.getvalue(), mtime=0))
    return path


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def theirs(root: Path, found: list[Sources]) -> tuple[float, int]:
    """Return the peer's megabytes per CPU second over the main files, once, and on how many it raises."""
    python = python_with((PEER,), root / "peer")
    paths = [root / f"{index}.tex" for index in range(len(found))]
    for path, one in zip(paths, found, strict=True):
        path.write_bytes(one["ms.tex"])
    ran = subprocess.run([python, "-c", PEER_SCRIPT, *paths], check=True, capture_output=True, text=True)
    sys.stderr.write(ran.stderr)
    peer, failed = ran.stdout.split()
    return float(peer), int(failed)


if __name__ == "__main__":
    main()
