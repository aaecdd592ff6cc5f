import bz2
import gzip
import io
import json
import lzma
import os
import random
import stat
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.readers import columns
from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.lines import objects
from hominis.corpus.readers.records import Reading
from hominis.errors import InputError
from tests.unit.corpus.raw_files import deb, json_lines, sdist, tar_bytes, wheel

MEMBERS = [("p-1/docs/b.rst", "second letter"), ("p-1/docs/a.rst", "prima è la a"), ("p-1/setup.py", "run()")]


def read(path, limit=8 * 2**20, **reading):
    documents = Documents(path, "src", Reading(**reading), limit)
    rows = [row for batch in documents for row in batch.to_pylist()]
    return [(row["id"], row["text"]) for row in rows], dict(documents.rejects.counts)


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


ENDINGS = {gzip.compress: "gz", lzma.compress: "xz", zstd: "zst"}
PACKED = {**ENDINGS, bz2.compress: "bz2"}


def random_text(seed):
    return random.Random(seed).randbytes(50).hex()


def tar_links(folder):
    with tarfile.open(folder / "p.tar", "w") as archive:
        for name, kind in (("soft.txt", tarfile.SYMTYPE), ("hard.txt", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "../secret.txt"
            archive.addfile(link)
        own = tarfile.TarInfo("own.txt")
        own.size = 3
        archive.addfile(own, io.BytesIO(b"own"))
    return folder / "p.tar"


def zip_links(folder):
    with zipfile.ZipFile(folder / "p.zip", "w") as archive:
        link = zipfile.ZipInfo("soft.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "../secret.txt")
        archive.writestr("own.txt", "own")
    return folder / "p.zip"


def cut(line, at, inserted):
    """The line as it is, or with bytes put somewhere into it."""
    return line if at > len(line) else line[:at] + inserted + line[at:]


def slowly(line):
    try:
        return json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


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


@pytest.mark.parametrize(
    "lines", [[{"body": "text", "url": "x", "n": 1}], [{"body": "b", "url": "x", "n": 1}, {"text": "y"}]]
)
def test_where_the_text_is_in_another_field_the_remedy_names_those_that_there_are(tmp_path, lines):
    documents = Documents(json_lines(tmp_path / "p.jsonl", lines), "src")
    with pytest.raises(InputError, match="no_text: 1") as caught:
        documents.rejects.check(sum(batch.num_rows for batch in documents), 0.05, documents.path)
    assert "set text_field" in caught.value.remedy
    assert "p.jsonl:0 has fields body (str), url (str), n (int)" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b'[\n{"text": "a"}\n]\n', "JSON object"),
        (b'[{"text": "a"}, {"text": "b"}]', "jq"),
        (gzip.compress(b"{}"), "compressed"),
    ],
)
def test_file_that_is_no_json_lines_is_told_what_they_are(tmp_path, content, remedy):
    (tmp_path / "p.json").write_bytes(content)
    documents = Documents(tmp_path / "p.json", "src")
    with pytest.raises(InputError) as caught:
        documents.rejects.check(sum(batch.num_rows for batch in documents), 0.05, documents.path)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "reading", "remedy"),
    [
        ("a.py", {"format": "github", "licence": "GPL-3.0-only"}, "licences"),
        ("a.py", {"format": "github", "licence": "nobody knows"}, "SPDX"),
        ("a.tex", {"format": "arxiv"}, "LaTeX"),
        ("long.txt", {}, "annotate.max_document_bytes"),
    ],
)
def test_where_nothing_can_be_read_the_remedy_is_that_of_the_reason(tmp_path, name, reading, remedy):
    path = sdist(tmp_path / "p.tar.gz", [(name, "def area(width, height):\n    return width * height\n" * 3)])
    with pytest.raises(InputError, match="no document can be read") as caught:
        read(path, limit=1000 if reading else 100, **reading)
    assert remedy in caught.value.remedy


def test_patterns_that_match_nothing_are_an_error(tmp_path):
    with pytest.raises(InputError, match="no document") as caught:
        read(sdist(tmp_path / "p.tar.gz", MEMBERS), include=["*.nowhere"])
    assert "include" in caught.value.remedy and "format" in caught.value.remedy


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


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstd])
def test_of_json_lines_that_are_cut_short_the_whole_lines_are_kept(tmp_path, pack):
    path = tmp_path / f"p.jsonl.{ENDINGS[pack]}"
    content = pack("".join(json.dumps({"text": random_text(n)}) + "\n" for n in range(3000)).encode())
    path.write_bytes(content[: len(content) * 3 // 4])
    rows, skipped = read(path)
    assert 0 < len(rows) < 3000
    assert [text for _, text in rows] == [random_text(n) for n in range(len(rows))]
    assert skipped == {"truncated": 1}


def test_damage_within_compressed_json_lines_is_an_error(tmp_path):
    path = json_lines(tmp_path / "p.jsonl.gz", [{"text": random_text(n)} for n in range(3000)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut short or damaged"):
        read(path)


def bomb(path):
    """A file of 72 MB in a thousandth of that; compressed streams may follow each other."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for n in range(9):
                archive.writestr(f"{n}.txt", bytes(8 * 2**20), zipfile.ZIP_DEFLATED)
        return path
    pack = next(pack for pack, ending in PACKED.items() if path.name.endswith(ending))
    member = tarfile.TarInfo("a.txt")
    member.size = 72 * 2**20
    path.write_bytes((pack(member.tobuf()) if ".tar" in path.name else b"") + 72 * pack(b" " * 2**20))
    return path


@pytest.mark.parametrize("name", ["p.jsonl.gz", "p.tar.gz", "p.zip", "p.jsonl.xz", "p.tar.bz2", "p.jsonl.zst"])
def test_file_that_unpacks_to_far_more_than_text_does_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=f"{name} unpacks to more than 200 times its size"):
        read(bomb(tmp_path / name))


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_name_that_is_no_utf_8_is_shown_and_the_file_read(tmp_path, form):
    with tarfile.open(tmp_path / "p.tar", "w", format=form, encoding="utf-8") as archive:
        member = tarfile.TarInfo(os.fsdecode(b"caf\xe9.txt"))
        member.size = 4
        archive.addfile(member, io.BytesIO(b"text"))
    assert read(tmp_path / "p.tar") == ([("src/caf\N{REPLACEMENT CHARACTER}.txt", "text")], {})


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_tar_with_a_name_of_megabytes_is_an_error_before_that_is_read(tmp_path, kind):
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, 2**31
    (tmp_path / "p.tar").write_bytes(header.tobuf() + b"n" * 2**20)
    with pytest.raises(InputError, match="2147483648 bytes of names"):
        read(tmp_path / "p.tar")


def test_zip_that_lies_about_its_names_is_an_error_like_other_damage(tmp_path):
    path = wheel(tmp_path / "p.zip", [("caf\u00e9.txt", "text")])
    path.write_bytes(path.read_bytes().replace("\u00e9".encode(), b"\xff\xfe"))
    with pytest.raises(InputError, match="cut short or damaged"):
        read(path)


def test_text_with_a_nul_byte_is_skipped(tmp_path):
    rows, skipped = read(json_lines(tmp_path / "p.jsonl", [{"text": "a\0b"}, b'{"text": "a\0b"}', {"text": "c"}]))
    assert rows == [("src/p.jsonl:2", "c")]
    assert skipped == {"nul_byte": 1, "not_json": 1}


def test_lone_surrogate_beside_the_text_costs_no_document(tmp_path):
    rows, _ = read(
        json_lines(tmp_path / "p.jsonl", [b'{"title": "\\ud800", "text": "fine"}', b'\xef\xbb\xbf{"text": "bom"}'])
    )
    assert [text for _, text in rows] == ["fine", "bom"]


def test_rejects_show_how_the_first_of_each_reason_begin(tmp_path):
    path = json_lines(tmp_path / "p.jsonl", [{"text": "good"}, *["{" + "x" * 999] * 50, b"\xff", {"text": "\ud800"}])
    documents = Documents(path, "src")
    list(documents)
    assert documents.rejects.counts == {"not_json": 50, "bad_utf8": 1, "lone_surrogate": 1}
    assert [sample["reason"] for sample in documents.rejects.samples] == ["not_json"] * 20 + [
        "bad_utf8",
        "lone_surrogate",
    ]
    assert documents.rejects.samples[0] == {"reason": "not_json", "path": "p.jsonl:1", "beginning": "{" + "x" * 199}
    for name in ("a", "b"):
        documents.rejects.write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(gzip.decompress((tmp_path / "a").read_bytes()).splitlines()) == 22


@pytest.mark.parametrize("make", [tar_links, zip_links])
def test_links_in_archives_are_no_documents(tmp_path, make):
    (tmp_path / "secret.txt").write_text("secret")
    rows, skipped = read(make(tmp_path))
    assert (rows, skipped) == ([("src/own.txt", "own")], {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)
LINES = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda value, ascii_: json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "surrogatepass"),
        JSON,
        st.booleans(),
    ),
    st.builds(lambda text: json.dumps({"text": text}).encode(), st.text(st.characters(), max_size=30)),
    st.sampled_from(
        [
            b'{"text": "\\ud800"}',
            b'{"a": 1e999}',
            b'{"a": NaN}',
            b"[" * 5000,
            b'{"a":' * 300,
            b"9" * 5000,
            b"\xef\xbb\xbf{}",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.builds(cut, LINES, st.integers(0, 200), st.binary(max_size=2)), max_size=5))
def test_every_line_is_what_the_standard_library_reads_or_a_reason(lines, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.jsonl"
    path.write_bytes(b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines))
    found = list(objects(path, 10_000))
    assert [line.number for line in found] == list(range(len(lines)))
    for line, raw in zip(found, lines, strict=True):
        expected = slowly(raw.replace(b"\n", b" "))
        assert repr(line.value) == repr(expected if isinstance(expected, dict) else None)
        assert bool(line.reason) == (line.value is None)


def test_flipped_bit_is_found_by_the_checksum(tmp_path):
    path = sdist(tmp_path / "p.tar.gz", MEMBERS)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_zip_with_a_name_that_is_empty_is_read(tmp_path):
    path = wheel(tmp_path / "p.zip", [("", "nameless"), ("folder/", ""), ("b.txt", "text")])
    assert read(path)[0] == [("src/", "nameless"), ("src/b.txt", "text")]


def test_parquet_is_read_in_less_memory_than_a_row_group_takes(tmp_path):
    noise = random.Random(1).randbytes(4096).hex()
    table = pa.table({"text": [f"{n} {noise[n % 999 :]}" for n in range(3000)]})
    pq.write_table(table, tmp_path / "p.parquet", use_dictionary=False, compression="none")
    assert pq.ParquetFile(tmp_path / "p.parquet").num_row_groups == 1
    before, size = pa.total_allocated_bytes(), table.nbytes
    peak = max(pa.total_allocated_bytes() - before for _ in columns.rows(tmp_path / "p.parquet", lambda _: "text"))
    assert size > 20 * 2**20
    assert peak < 12 * 2**20


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
    with pytest.raises(InputError, match="no column 'text'") as caught:
        read(path)
    assert caught.value.remedy == "set text_field to a column of text: raw_content"


def test_parquet_column_that_holds_no_text_is_named_beside_those_that_do(tmp_path):
    pq.write_table(pa.table({"text": [1], "body": ["one"], "more": ["two"]}), tmp_path / "p.parquet")
    with pytest.raises(InputError, match="column 'text' holds int64, no text") as caught:
        read(tmp_path / "p.parquet")
    assert caught.value.remedy.endswith("body, more")


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


def test_control_characters_of_a_page_cost_neither_the_page_nor_the_file(tmp_path):
    page = "<p>one\x02 two\x0c</p><p>three&#1;\ufffe</p>"
    rows, _ = read(wheel(tmp_path / "p.zip", [("a.html", page), ("b.html", "<p>next</p>")]))
    assert rows == [("src/a.html", "one\x02 two\nthree\x01\ufffe"), ("src/b.html", "next")]


def test_many_documents_come_in_several_batches_and_every_reading_is_the_same(tmp_path):
    members = [(f"{i}.txt", f"{i} " * 200_000) for i in range(12)]
    documents = Documents(sdist(tmp_path / "p.tar.gz", members), "src")
    first, second = list(documents), list(documents)
    assert len(first) > 1
    assert all(a.equals(b) for a, b in zip(first, second, strict=True))
    assert sum(batch.num_rows for batch in first) == 12
