import gzip
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.records import Reading
from hominis.errors import InputError
from tests.unit.corpus.raw_files import deb, json_lines, sdist, tar_bytes, wheel

MEMBERS = [("p-1/docs/b.rst", "second letter"), ("p-1/docs/a.rst", "prima è la a"), ("p-1/setup.py", "run()")]


def read(path, limit=8 * 2**20, **reading):
    documents = Documents(path, "src", Reading(**reading), limit)
    rows = [row for batch in documents for row in batch.to_pylist()]
    return [(row["id"], row["text"]) for row in rows], dict(documents.rejects.counts)


@pytest.mark.parametrize(("make", "name"), [(sdist, "p-1.tar.gz"), (wheel, "p.whl"), (deb, "p.deb")])
def test_archives_give_wanted_members_in_their_own_order(tmp_path, make, name):
    rows, skipped = read(make(tmp_path / name, MEMBERS), include=["*.rst"])
    assert rows == [("src/p-1/docs/b.rst", "second letter"), ("src/p-1/docs/a.rst", "prima è la a")]
    assert skipped == {}


def test_xz_tar_is_read(tmp_path):
    path = tmp_path / "p.tar.xz"
    path.write_bytes(lzma.compress(tar_bytes(MEMBERS, compress=False)))
    assert len(read(path)[0]) == 3


def test_exclusions_win_over_inclusions(tmp_path):
    rows, _ = read(sdist(tmp_path / "p.tar.gz", MEMBERS), include=["*/docs/*", "!*/a.rst"])
    assert [name for name, _ in rows] == ["src/p-1/docs/b.rst"]


def test_nothing_is_extracted_for_a_path_that_leads_outside(tmp_path):
    rows, _ = read(sdist(tmp_path / "p.tar.gz", [("../../evil.txt", "text")]))
    assert rows == [("src/../../evil.txt", "text")]
    assert [path.name for path in tmp_path.rglob("*")] == ["p.tar.gz"]


def test_bad_members_are_counted_by_reason_and_skipped(tmp_path):
    members = [
        ("a.txt", b"\xff\xfe"),
        ("b.txt", " \n "),
        ("c.txt", "x" * 101),
        ("d.txt", "good"),
        ("d.txt", "again"),
    ]
    rows, skipped = read(sdist(tmp_path / "p.tar.gz", members), limit=100)
    assert rows == [("src/d.txt", "good")]
    assert skipped == {"not_utf8": 1, "empty": 1, "too_large": 1, "repeated_path": 1}


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz"])
def test_bad_lines_of_json_are_counted_and_the_good_ones_kept(tmp_path, name):
    lines = [
        {"text": "first"},
        "{broken",
        b'{"text": "\xff"}',
        {"other": "no text"},
        {"text": 5},
        "",
        {"text": "\ud800"},
        "[" * 100_000,
        {"text": "last"},
    ]
    rows, skipped = read(json_lines(tmp_path / name, lines))
    assert rows == [(f"src/{name}:0", "first"), (f"src/{name}:8", "last")]
    assert skipped == {"not_json": 2, "bad_utf8": 1, "lone_surrogate": 1, "no_text": 2, "empty": 1}


def test_json_of_which_every_line_is_bad_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no document can be read from source 'src' \(skipped: not_json: 2\)"):
        read(json_lines(tmp_path / "p.jsonl", ["{", "}"]))


def test_patterns_that_match_nothing_are_an_error(tmp_path):
    with pytest.raises(InputError, match="no document") as caught:
        read(sdist(tmp_path / "p.tar.gz", MEMBERS), include=["*.nowhere"])
    assert "include" in caught.value.remedy


@pytest.mark.parametrize("keep", [0.3, 0.9])
@pytest.mark.parametrize(("make", "name"), [(sdist, "p.tar.gz"), (wheel, "p.whl"), (deb, "p.deb")])
def test_truncated_archive_is_an_error_that_names_it(tmp_path, make, name, keep):
    noise = [("a.txt", "".join(chr(33 + i * i % 89) for i in range(50_000))), ("b.txt", "x")]
    path = make(tmp_path / name, noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(InputError, match=name) as caught:
        read(path)
    assert "fetch again" in caught.value.remedy or "fetch it again" in caught.value.remedy


@pytest.mark.parametrize("length", [b"garbage   ", b"-60       ", b"          "])
def test_damaged_header_of_a_debian_package_is_an_error_like_other_damage(tmp_path, length):
    path = deb(tmp_path / "p.deb", MEMBERS)
    content = bytearray(path.read_bytes())
    content[8 + 48 : 8 + 58] = length
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"p\.deb is cut short or damaged") as caught:
        read(path)
    assert "fetch again" in caught.value.remedy


def test_flipped_bit_is_found_by_the_checksum(tmp_path):
    path = sdist(tmp_path / "p.tar.gz", MEMBERS)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_unknown_format_names_the_known_ones(tmp_path):
    (tmp_path / "p.docx").write_bytes(b"PK")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "p.docx")
    assert ".parquet" in caught.value.remedy


def test_parquet_column_is_read_by_name(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"raw_content": ["one", None, "two"]}), path)
    rows, skipped = read(path, text_field="raw_content")
    assert rows == [("src/p.parquet:0", "one"), ("src/p.parquet:2", "two")]
    assert skipped == {"no_text": 1}
    with pytest.raises(InputError, match="no column 'text'"):
        read(path)


def test_plain_file_is_one_document(tmp_path):
    (tmp_path / "book.txt").write_text("once upon a time")
    assert read(tmp_path / "book.txt")[0] == [("src/book.txt", "once upon a time")]
    (tmp_path / "book.txt.gz").write_bytes(gzip.compress(b"once"))
    assert read(tmp_path / "book.txt.gz")[0] == [("src/book.txt.gz", "once")]


def test_html_gives_its_text_without_navigation(tmp_path):
    page = (
        "<?xml version='1.0'?><html><head><title>T</title><script>x()</script></head><body><nav>menu</nav>"
        "<h1>Perché</h1><p>Un  <b>grassetto</b>\n qui</p><ul><li>uno</li><li>due</li></ul><!-- no --></body></html>"
    )
    rows, skipped = read(wheel(tmp_path / "p.zip", [("a.html", page), ("b.html", "<!-- nothing -->"), ("c.html", "")]))
    assert rows == [("src/a.html", "Perché\nUn grassetto\nqui\nuno\ndue")]
    assert skipped == {"empty": 2}


def test_many_documents_come_in_several_batches_and_every_reading_is_the_same(tmp_path):
    members = [(f"{i}.txt", f"{i} " * 100_000) for i in range(12)]
    documents = Documents(sdist(tmp_path / "p.tar.gz", members), "src")
    first, second = list(documents), list(documents)
    assert len(first) > 1
    assert all(a.equals(b) for a, b in zip(first, second, strict=True))
    assert sum(batch.num_rows for batch in first) == 12
