"""What benchmarks are measured beside: programs of others, in environments of their own, that work when they are asked.

A program defines ``measured(texts)``, one pass over the texts. It runs with nothing of this process's environment, and
is asked for one pass after the other, in turn with ours, so that a busy machine hurts both.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

DATATROVE = ("datatrove[processing]==0.10.1", "spacy==3.8.18")
"""Words of English are spaCy's, of a blank pipeline, which needs no model."""

TURNS = """
said, sys.stdout = sys.stdout, sys.stderr
texts = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
measured(texts[:1])
for _ in sys.stdin:
    begun = time.process_time()
    measured(texts)
    print(time.process_time() - begun, file=said, flush=True)
"""


def options(description: str | None) -> argparse.ArgumentParser:
    """Return the options that the benchmarks of few texts beside more of ours have in common."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=40)
    parser.add_argument("--peer-megabytes", type=float, default=1)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--environments", type=Path, metavar="FOLDER")
    return parser


def python_with(packages: tuple[str, ...], folder: Path) -> str:
    """Return the Python of an environment in ``folder``; it is made there from PyPI, unless an earlier run did."""
    python, made = str(folder / "bin" / "python"), folder / "installed"
    if not made.exists() or made.read_text() != "\n".join(packages):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        made.write_text("\n".join(packages))
    return python


@contextmanager
def asked(python: str, program: str, texts: list[str], folder: Path, *arguments: str) -> Iterator[Callable[[], float]]:
    """Start a program; what is given lets it pass over the texts once and returns the CPU seconds that this took.

    Args:
        arguments: the program finds them in ``sys.argv[2:]``.
    """
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    command = [python, "-c", f"import json, sys, time\n{program}{TURNS}", str(path), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdin
        assert running.stdout

        def turn() -> float:
            print(file=running.stdin, flush=True)
            return float(running.stdout.readline())  # type: ignore[union-attr]

        yield turn
        running.stdin.close()


def seconds(work: Callable[[], object], least: float = 0.3) -> float:
    """Return the CPU seconds of one pass, of as many as take ``least`` together."""
    begun, passes = time.process_time(), 0
    while time.process_time() - begun < least:
        work()
        passes += 1
    return (time.process_time() - begun) / passes


def compare(title: str, megabytes: float, turns: list[tuple[float, float]], wanted: float | None = None) -> None:
    """Print the speeds of a peer and of ours from the seconds of each turn, and the median of the turns' ratios."""
    ratios = [theirs / ours for ours, theirs in turns]
    ours, theirs = ([megabytes / turn[side] for turn in turns] for side in (0, 1))
    bound = "" if wanted is None else f"; wanted {wanted:g}"
    print(
        f"{title:10} {median(theirs):6.2f} MB/s, ours {median(ours):6.1f} ({min(ours):.1f} to {max(ours):.1f}): "
        f"{median(ratios):.0f} times as fast ({min(ratios):.0f} to {max(ratios):.0f}){bound}",
        flush=True,
    )
