"""``hominis signals`` gives RedPajama-v2's own values, line by line, for real text and hand-made edge cases."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hominis.cli import cli

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
DOMAINS = {"ads.example": 3, "games.example": 7}
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden data at {GOLDEN}")


@pytest.fixture(scope="module")
def expected():
    with gzip.open(GOLDEN / "signals.json.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    shard = folder / "2023-06" / "0000" / "en_head.json.gz"
    shard.parent.mkdir(parents=True)
    shutil.copy(GOLDEN / "documents.json.gz", shard)
    (folder / "ut1.json").write_text(json.dumps(DOMAINS))
    result = CliRunner().invoke(cli, ["signals", "--ut1", str(folder / "ut1.json"), str(shard)])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_document_has_its_id_and_metadata(found, expected):
    assert [_without_signals(line) for line in found] == [_without_signals(line) for line in expected]


def test_every_signal_of_every_document_and_line_is_the_reference_s(found, expected):
    wrong = {
        (line["id"], name): (line["quality_signals"].get(name), spans)
        for line, reference in zip(found, expected, strict=True)
        for name, spans in reference["quality_signals"].items()
        if line["quality_signals"].get(name) != spans
    }
    assert not dict(list(wrong.items())[:5])
    assert [set(line["quality_signals"]) for line in found] == [set(line["quality_signals"]) for line in expected]


def test_numbers_are_written_as_the_reference_writes_them(found, expected):
    wrong = {
        (line["id"], name)
        for line, reference in zip(found, expected, strict=True)
        for name, spans in reference["quality_signals"].items()
        if {type(span[2]) for span in line["quality_signals"][name]} != {type(span[2]) for span in spans}
    }
    assert not wrong


def _without_signals(line):
    return {name: value for name, value in line.items() if name != "quality_signals"}
