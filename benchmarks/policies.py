"""How often the shipped policies decide on a document as datatrove's filters do.

    python -m benchmarks.policies DOCUMENTS [--field raw_content] [--least 200] [--with PYTHON]

DOCUMENTS are English texts, as gzipped JSON lines. datatrove is installed from PyPI into an environment of its own,
unless a Python that has it is named. Rules are compared in groups, those of a paper's filter beside that filter; a
policy's order decides nothing here. Takes a minute for some megabytes: datatrove splits words with spaCy.
"""

import argparse
import gzip
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from benchmarks.peers import DATATROVE, python_with

from hominis.config.compose import compose
from hominis.config.corpus import AnnotateSection
from hominis.config.policy import Policy, Rule
from hominis.corpus.annotations import annotated
from hominis.corpus.policy import removed_by
from hominis.corpus.readers.documents import schema

FILTERS = """
import json, sys
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
filters = {
    "quality": GopherQualityFilter(),
    "repetition": GopherRepetitionFilter(),
    "c4": C4QualityFilter(filter_no_terminal_punct=False),
    "fineweb": FineWebQualityFilter(),
}
for line in open(sys.argv[1]):
    said = {name: one.filter(Document(text=json.loads(line), id="")) for name, one in filters.items()}
    print(json.dumps({name: "" if kept is True else kept[1] for name, kept in said.items()}))
"""


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path)
    parser.add_argument("--field", default="raw_content")
    parser.add_argument("--least", type=int, default=200, help="Characters of the shortest document to take.")
    parser.add_argument("--with", dest="python", help="A Python that has datatrove.")
    given = parser.parse_args()
    texts = [text for text in read(given.documents, given.field) if len(text) >= given.least]
    with tempfile.TemporaryDirectory() as folder:
        peers = theirs(texts, Path(folder), given.python)
    rows = measured(texts)
    print(f"{len(texts):,} documents of at least {given.least} characters")
    print(f"{'rules':<26} alike  kept  datatrove's")
    for name, rules in groups().items():
        ours = rows.select(removed_by(Policy(rules=rules))).to_series().to_list()
        report(name, ours, [said[name.split(",")[0]] for said in peers])


def read(path: Path, field: str) -> Iterator[str]:
    """Yield the English texts; copies with planted changes, whose address has a fragment, are left out."""
    with gzip.open(path) as lines:
        for document in map(json.loads, lines):
            if document.get("language", "en") == "en" and "#" not in document.get("url", ""):
                yield document[field]


def groups() -> dict[str, tuple[Rule, ...]]:
    """Return the rules that stand for each of datatrove's filters."""
    gopher, fineweb = (compose(name, name).rules for name in ("gopher", "fineweb"))
    first = [rule.name for rule in gopher].index("duplicate_lines")
    of_c4 = {rule.name for rule in compose("c4", "c4").rules}
    *others, repeated = (rule for rule in fineweb[-3:])
    return {
        "quality": gopher[:first],
        "repetition": gopher[first:],
        "c4": tuple(rule for rule in fineweb if rule.name in of_c4),
        "fineweb": fineweb[-3:],
        "fineweb, its code's bound": (*others, repeated.model_copy(update={"max": 0.01})),
    }


def measured(texts: list[str]) -> pl.DataFrame:
    """Return the annotations of the texts, none of which is a copy."""
    ids, columns = [str(number) for number in range(len(texts))], schema()
    given = {"id": ids, "path": ids, "text": texts, "language": ["en"] * len(texts)}
    absent = [None] * len(texts)
    batch = pa.RecordBatch.from_pydict({name: given.get(name, absent) for name in columns.names}, columns)
    rows = annotated(batch, {"source": "benchmark", "corpus": "web"}, AnnotateSection())
    return pl.DataFrame(rows.drop_columns(["signature"])).with_columns(kind=pl.lit(None, dtype=pl.String))


def theirs(texts: list[str], folder: Path, python: str | None) -> list[dict[str, str]]:
    """Return for each text why each of datatrove's filters removes it; empty: it stays."""
    python = python or python_with(DATATROVE, folder / "env")
    (folder / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    command = [python, "-c", FILTERS, str(folder / "texts.jsonl")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def report(name: str, ours: list[str | None], theirs: list[str]) -> None:
    """Print how often both decide alike, and which rules and filters stand alone."""
    pairs = list(zip(ours, theirs, strict=True))
    alike = sum((mine is None) == (not other) for mine, other in pairs) / len(pairs)
    kept, others = sum(mine is None for mine in ours), sum(not other for other in theirs)
    print(f"{name:<26} {alike:5.1%}  {kept:>4}  {others:>4}")
    alone = Counter(mine for mine, other in pairs if mine and not other).most_common(3)
    theirs_alone = Counter(other for mine, other in pairs if other and mine is None).most_common(3)
    print(f"    removed by us alone: {dict(alone)}; by datatrove alone: {dict(theirs_alone)}")


if __name__ == "__main__":
    main()
