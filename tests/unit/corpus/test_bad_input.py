"""Damage of every kind through the stage: counted, shown with its reason, fatal only above the allowed share."""

import gzip
import json
import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hominis.config.corpus import AnnotateSection, FetchSection
from hominis.errors import InputError
from hominis.stages import STAGES
from tests.unit.corpus.raw_files import json_lines, row, sdist

GOOD = [{"text": f"This is page number {n} of a story about a river and its {n} old bridges."} for n in range(19)]


def lines_with(bad):
    def make(folder):
        return json_lines(folder / "p.jsonl.gz", [*GOOD[:9], bad, *GOOD[9:]])

    return make


def null_column(folder):
    pq.write_table(pa.table({"text": [line["text"] for line in GOOD] + [None]}), folder / "p.parquet")
    return folder / "p.parquet"


def archive_with(bad):
    def make(folder):
        return sdist(
            folder / "p.tar.gz", [*((f"{n}.txt", line["text"]) for n, line in enumerate(GOOD)), ("bad.txt", bad)]
        )

    return make


DAMAGE = {
    "not_json": lines_with("{broken"),
    "not_object": lines_with("[1, 2]"),
    "bad_utf8": lines_with(b'{"text": "\xff"}'),
    "lone_surrogate": lines_with({"text": "half \ud800 a pair"}),
    "no_text": lines_with({"body": "in another field"}),
}
NO_DAMAGE = {
    "nul_byte": lines_with({"text": "a\0b"}),
    "empty": lines_with({"text": " \n"}),
    "too_large": lines_with({"text": "long " * 30_000}),
    "not_utf8": archive_with(b"caf\xe9"),
}


@pytest.fixture
def annotated(work, tmp_path):
    """Annotate a file; returns its artefact."""

    def run(path, most):
        section = AnnotateSection(permutations=8, max_rejects=most, max_document_bytes=100_000)
        made = {"fetch": work(STAGES["fetch"], FetchSection(sources=(row(path),)), {})}
        (found,) = work(STAGES["annotate"], section, made)
        return found

    return run


def rejects(artefact):
    return [
        json.loads(line) for line in gzip.decompress((artefact.path / "rejects.jsonl.gz").read_bytes()).splitlines()
    ]


@pytest.mark.parametrize("reason", [*DAMAGE, *NO_DAMAGE])
def test_what_cannot_be_read_is_counted_and_shown_and_the_rest_read(annotated, tmp_path, reason):
    made = annotated((DAMAGE | NO_DAMAGE)[reason](tmp_path), 0.06)
    assert made.summary["documents"] in (18, 19)
    assert made.summary["skipped"] == {reason: 1}
    assert [shown["reason"] for shown in rejects(made)] == [reason]


@pytest.mark.parametrize("reason", DAMAGE)
def test_damage_above_the_share_fails_the_part_and_the_first_is_shown(annotated, tmp_path, reason):
    with pytest.raises(
        InputError, match=rf"1 of \d+ records are damaged \({reason}: 1\), more than the share 0.04"
    ) as caught:
        annotated(DAMAGE[reason](tmp_path), 0.04)
    assert "the first is p.jsonl.gz:" in caught.value.problem
    assert "annotate.max_rejects" in caught.value.remedy


@pytest.mark.parametrize("reason", NO_DAMAGE)
def test_what_is_no_damage_fails_nothing(annotated, tmp_path, reason):
    assert annotated(NO_DAMAGE[reason](tmp_path), 0.0).summary["skipped"] == {reason: 1}


def test_a_file_that_is_cut_short_counts_as_one_damaged_record(annotated, tmp_path):
    lines = [line | {"noise": random.Random(n).randbytes(3000).hex()} for n, line in enumerate(GOOD)]
    path = json_lines(tmp_path / "p.jsonl.gz", lines)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"damaged \(truncated: 1\)") as caught:
        annotated(path, 0.04)
    assert "fetch the file again" in caught.value.remedy
    made = annotated(path, 0.5)
    assert 0 < made.summary["documents"] < 19
    assert made.summary["skipped"] == {"truncated": 1}


def test_a_column_s_missing_texts_are_damage(annotated, tmp_path):
    path = null_column(tmp_path)
    with pytest.raises(InputError, match="no_text: 1"):
        annotated(path, 0.04)
    assert annotated(path, 0.05).summary["skipped"] == {"no_text": 1}


READ = """
import sys
from pathlib import Path
from hominis.corpus.readers.documents import Documents

def most():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

documents = Documents(Path(sys.argv[1]), "src")
before = most()
texts = [text for batch in documents for text in batch["text"].to_pylist()]
print(texts, dict(documents.rejects.counts), (most() - before) // 1024)
"""


def test_a_line_of_a_gigabyte_is_passed_over_in_bounded_memory(tmp_path):
    megabyte = random.Random(1).randbytes(6000).hex().ljust(2**20).encode()
    begin, end = gzip.compress(b'{"text": "first"}\n{"text": "'), gzip.compress(b'"}\n{"text": "last"}')
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(begin + 1024 * gzip.compress(megabyte) + end)
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    *found, megabytes = done.stdout.rsplit(maxsplit=1)
    assert found == ["['first', 'last'] {'too_large': 1}"]
    assert int(megabytes) < 256
