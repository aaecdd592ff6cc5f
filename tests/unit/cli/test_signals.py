"""``hominis signals`` as people use it, on good files and on bad ones."""

import gzip
import hashlib
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings

from hominis.cli import cli
from hominis.corpus.spans import Document, published
from hominis.errors import ConfigError, InputError
from tests.unit.corpus import plain_signals
from tests.unit.corpus.test_signals import COLUMNS

TEXT = "The first line of it.\n• and the second, of javascript\n"


def run(*arguments):
    return CliRunner().invoke(cli, ["signals", *map(str, arguments)])


def lines(path, *contents):
    raw = b"".join((c if isinstance(c, bytes) else json.dumps(c).encode()) + b"\n" for c in contents)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def documents(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_shard_gives_ids_metadata_and_spans_as_published(tmp_path):
    record = {"raw_content": TEXT, "url": "u", "language": "en", "length": 9, "bucket": "tail", "perplexity": 1.5}
    (found,) = documents(run(lines(tmp_path / "2023-06/0007/en_tail.json.gz", record)))
    assert found["id"] == "2023-06/0007/en_tail.json.gz/0"
    assert found["id_int"] == int.from_bytes(hashlib.sha1(found["id"].encode()).digest()[:8], "little")
    assert found["metadata"]["snapshot_id"] == "2023-06"
    signals = found["quality_signals"]
    assert signals["ccnet_bucket"] == [[0, len(TEXT), 2.0]]
    assert signals["ccnet_perplexity"] == [[0, len(TEXT), 1.5]]
    assert signals["ccnet_nlines"] == [[0, len(TEXT), None]]
    assert signals["rps_doc_word_count"] == [[0, len(TEXT), 11]]  # the bullet is one
    assert signals["rps_lines_start_with_bulletpoint"] == [[0, 22, 0.0], [22, len(TEXT), 1.0]]


@settings(deadline=None, max_examples=60)
@given(COLUMNS)
@example(["", "\n", "\n\n", "a", "½ ⅷ\njavascript javascripts\njava-script", "À\u0301A\n \nx.\u3000", "\0\n"])
def test_line_signals_are_those_of_their_definitions(texts):
    made = [Document(f"f/{row}", text, {"language": "en"}) for row, text in enumerate(texts)]
    for text, pieces in zip(texts, published(made, {}), strict=True):
        found = json.loads(b"".join(pieces))["quality_signals"]
        wanted = json.loads(json.dumps(plain_signals.line_signals(text)))
        assert {name: values for name, values in found.items() if name.startswith("rps_lines_")} == wanted


@pytest.mark.parametrize("count", [2**16, 2**16 + 1])
def test_lines_that_are_written_in_pieces_are_all_there_once(count):
    (pieces,) = published([Document("f", "1.\n" * count, {})], {})
    found = json.loads(b"".join(pieces))["quality_signals"]
    assert found["rps_lines_num_words"] == [[3 * line, 3 * line + 3, 1] for line in range(count)]


def test_a_text_of_newlines_alone_takes_little_memory(tmp_path):
    path = lines(tmp_path / "d.jsonl", {"raw_content": "x" + "\n" * 2**20})
    code = "import sys; from hominis.cli import cli; cli(sys.argv[1:], standalone_mode=False)\n"
    code += (
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"  # ru_maxrss begins with the parent's
    )
    output = tmp_path / "signals.json"
    done = subprocess.run([sys.executable, "-c", code, "signals", path, "-o", output], check=True, capture_output=True)
    assert int(done.stdout) < 0.75 * 2**20  # kilobytes: as Python objects its spans would take a gigabyte


def test_bad_lines_keep_their_places_and_are_counted(tmp_path):
    bad = [b'{"raw_content": ', b"[1]", {"text": "x"}, b'{"raw_content": "\\ud800"}', b'{"raw_content": "\xff"}', b""]
    path = lines(tmp_path / "d.jsonl", {"raw_content": "first"}, *bad, {"raw_content": "last\0"})
    result = run(path, "--max-rejects", "0.9")
    assert [found["id"] for found in documents(result)] == ["d.jsonl/0", "d.jsonl/7"]
    assert "bad_utf8: 1, empty: 1, lone_surrogate: 1, no_text: 1, not_json: 1, not_object: 1" in result.stderr


def test_more_bad_lines_than_allowed_are_an_error(tmp_path):
    result = run(lines(tmp_path / "d.jsonl", {"raw_content": "good"}, b"{"))
    assert isinstance(result.exception, InputError)
    assert "--max-rejects" in str(result.exception)
    assert "not_json" in str(result.exception)


def test_a_file_that_ends_too_early_is_an_error_after_what_could_be_read(tmp_path):
    path = lines(tmp_path / "d.json.gz", *({"raw_content": f"{n} " * 3000} for n in range(9)))
    path.write_bytes(path.read_bytes()[:-20])
    result = run(path)
    assert isinstance(result.exception, InputError)
    assert "truncated" in str(result.exception)


def test_damage_within_a_compressed_file_is_an_error_that_names_it(tmp_path):
    path = lines(tmp_path / "d.json.gz", *({"raw_content": f"{n} " * 3000} for n in range(9)))
    content = bytearray(path.read_bytes())
    content[-30] ^= 255
    path.write_bytes(content)
    result = run(path)
    assert isinstance(result.exception, InputError)
    assert "d.json.gz is damaged" in str(result.exception)


def test_fields_of_the_wrong_kind_are_null(tmp_path):
    odd = (
        b'{"raw_content": "a", "language": 3, "length": "1", "nlines": true, "perplexity": NaN, "source_domain": ["x"]'
    )
    path = lines(tmp_path / "d.jsonl", odd + b', "url": "\\ud800", "original_length": 1' + b"0" * 400 + b"}")
    (found,) = documents(run(path))
    ccnet = {name: spans[0][2] for name, spans in found["quality_signals"].items() if name.startswith("ccnet_")}
    assert set(ccnet.values()) == {None}
    assert found["metadata"]["url"] is found["metadata"]["source_domain"] is None
    assert isinstance(found["metadata"]["language"], str)


def test_output_is_compressed_by_its_name_and_equal_every_time(tmp_path):
    path = lines(tmp_path / "d.jsonl", {"text": TEXT})
    written = []
    for name in ("a.json.gz", "b.json.gz"):
        assert run(path, "-o", tmp_path / name, "--text-field", "text").exit_code == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert gzip.decompress(written[0]).decode() == run(path, "--text-field", "text").stdout


def test_failed_work_leaves_no_output(tmp_path):
    assert run(lines(tmp_path / "d.jsonl", b"{"), "-o", tmp_path / "out.jsonl").exit_code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["d.jsonl"]


def test_the_file_that_is_read_is_not_written(tmp_path):
    path = lines(tmp_path / "d.jsonl", {"raw_content": "a"})
    assert isinstance(run(path, "-o", path).exception, ConfigError)
    assert path.read_bytes() == b'{"raw_content": "a"}\n'


def test_a_folder_for_the_output_that_does_not_exist_is_named(tmp_path):
    result = run(lines(tmp_path / "d.jsonl", {"raw_content": "a"}), "-o", tmp_path / "nowhere" / "out.jsonl")
    assert isinstance(result.exception, ConfigError)
    assert f"no folder {tmp_path / 'nowhere'}" in str(result.exception)


def test_ut1_numbers_are_looked_up_by_domain(tmp_path):
    path = lines(tmp_path / "d.jsonl", *({"raw_content": "a", "source_domain": name} for name in ("a.example", "b")))
    (tmp_path / "ut1.json").write_text('{"a.example": 3}')
    found = documents(run("--ut1", tmp_path / "ut1.json", path))
    assert [line["quality_signals"]["rps_doc_ut1_blacklist"][0][2] for line in found] == [3, None]


@pytest.mark.parametrize("content", ["[]", "{", '{"a": "b"}', '{"a": 1.5}', "\udc80"])
def test_a_map_of_domains_that_is_none_is_an_error(tmp_path, content):
    path = lines(tmp_path / "d.jsonl", {"raw_content": "a"})
    (tmp_path / "ut1.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    result = run("--ut1", tmp_path / "ut1.json", path)
    assert isinstance(result.exception, InputError)
    assert "ads.example" in str(result.exception)
