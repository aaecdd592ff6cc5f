"""Tables are written in groups of rows that are worth their cost, and lose nothing."""

import weakref

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hominis.corpus import tables
from hominis.corpus.tables import TableWriter

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.large_string())])


def rows(first, count):
    names = [str(number) for number in range(first, first + count)]
    return pa.table([names, [name * 100 for name in names]], schema=SCHEMA)


def test_small_tables_share_a_group_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_GROUP_BYTES", 3 * rows(100, 10).nbytes)
    pieces = [rows(first, 10) for first in range(100, 180, 10)]
    with TableWriter(tmp_path / "found.parquet", SCHEMA) as table:
        for piece in pieces:
            table.write(piece)
    with pq.ParquetFile(tmp_path / "found.parquet") as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        assert groups == [30, 30, 20]
        assert file.read() == pa.concat_tables(pieces)


def test_a_table_without_rows_has_its_columns(tmp_path):
    with TableWriter(tmp_path / "empty.parquet", SCHEMA) as table:
        table.write(rows(0, 0))
    assert pq.read_table(tmp_path / "empty.parquet").schema == SCHEMA


def test_an_error_is_not_hidden_by_what_was_not_yet_written(tmp_path):
    with pytest.raises(ZeroDivisionError), TableWriter(tmp_path / "cut.parquet", SCHEMA) as table:
        table.write(rows(0, 10))
        raise ZeroDivisionError
    assert pq.read_table(tmp_path / "cut.parquet").num_rows == 0


def test_what_waits_holds_on_to_nothing_that_it_was_cut_from(tmp_path):
    numbers = np.arange(1_000_000)
    there = weakref.ref(numbers)
    with TableWriter(tmp_path / "few.parquet", pa.schema([("number", pa.int64())])) as table:
        table.write(pa.table({"number": pa.array(numbers).slice(7, 2)}))
        del numbers
        assert there() is None
    assert pq.read_table(tmp_path / "few.parquet")["number"].to_pylist() == [7, 8]
