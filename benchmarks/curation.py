"""Raw documents to selected ones: megabytes of text a CPU second, and memory, of each stage and of all.

    python -m benchmarks.curation [--megabytes 20 40 80] [--workers 1 2]

The documents are pieces of Python's own sources and its packages' in RedPajama-v2's layout, half of them without a
language. Everything is on: language, all signals, own signatures, deduplication, FineWeb's policy. Each stage runs in a
process of its own, through a real store; CPU seconds are its and its children's, starting them included; memory is the
most that one process has had. Stages of a few seconds are measured best on an idle machine.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.unit.corpus.planted import pieces
from tests.unit.corpus.raw_files import row
from tests.unit.corpus.redpajama_files import SHARD, document

from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.stages import STAGES
from hominis.store import artefacts, run
from hominis.store.files import digest
from hominis.store.site import Site

MEASURED = ("annotate", "deduplicate", "select")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[20, 40, 80])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(stage(given.folder, given.stage, given.workers[0])))
        return
    for megabytes in given.megabytes:
        for workers in given.workers:
            with tempfile.TemporaryDirectory() as folder:
                measure(Path(folder), megabytes, workers)


def measure(folder: Path, megabytes: float, workers: int) -> None:
    """Print the figures of one size."""
    path = folder / "en_head.json.gz"
    size = write(path, megabytes)
    print(f"{size:.0f} MB of text, {path.stat().st_size / 1e6:.1f} compressed; {workers} at work", flush=True)
    total = 0.0
    command = [sys.executable, "-m", "benchmarks.curation", "--folder", folder, "--workers", str(workers), "--stage"]
    for name in ("fetch", *MEASURED):
        said = subprocess.run([*command, name], check=True, capture_output=True, text=True)
        found = json.loads(said.stdout.splitlines()[-1])
        if name in MEASURED:
            total += found["cpu"]
            line = f"  {name:12} {size / found['cpu']:7.1f} MB/CPU s {size / found['wall']:7.1f} MB/s"
            print(line + f" {found['megabytes']:6.0f} MB of memory", flush=True)
    print(f"  {'all':12} {size / total:7.1f} MB/CPU s", flush=True)


def write(path: Path, megabytes: float) -> float:
    """Write a file of documents; return the megabytes of its text."""
    size = 0.0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        for number, text in enumerate(pieces(600)):
            line = document(text, url=f"https://www.example.org/{number}", language="en" if number % 2 else None)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            size += len(text.encode()) / 1e6
            if size >= megabytes:
                break
    return size


def stage(folder: Path, wanted: str, workers: int) -> dict[str, float]:
    """Run the stages up to the wanted one, of which the others are in the store; return what it took."""
    source = row(folder / "en_head.json.gz", name="shard", format="redpajama", revision=SHARD)
    sections = {
        "fetch": FetchSection(sources=(source,)),
        "annotate": AnnotateSection(workers=workers),
        "deduplicate": DeduplicateSection(),
        "select": SelectSection(policies={"web": "fineweb"}),
    }
    site, made = Site.at(folder / "site"), {}
    for name, section in sections.items():
        before, begun = seconds(), time.monotonic()
        needed = {upstream: made[upstream] for upstream in STAGES[name].inputs}
        (part,) = STAGES[name].parts(section, needed)
        refs = {upstream: [_ref(artefact) for artefact in found] for upstream, found in needed.items()}
        run.run_part(site, STAGES[name], section, part, refs, run="benchmark")
        made[name] = [artefacts.open_artefact(site, name, run.key_of(STAGES[name], section, part, refs))]
        if name == wanted:
            break
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"cpu": seconds() - before, "wall": time.monotonic() - begun, "megabytes": used / 1024}


def _ref(artefact: artefacts.Artefact) -> tuple[str, str]:
    return artefact.receipt.key, digest((artefact.path / artefacts.RECEIPT).read_text())


def seconds() -> float:
    """Return the CPU seconds of this process and those that it waited for."""
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


if __name__ == "__main__":
    main()
