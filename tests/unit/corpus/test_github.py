import gzip
import io
import json
import os
import tarfile
import zipfile
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.corpus.readers import github
from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.records import Chosen, Reading
from hominis.errors import ConfigError, InputError
from hominis.stages import STAGES
from tests.unit.corpus.raw_files import json_lines, row, sdist, wheel

CODE = "def add(left, right):\n    '''Return the sum of both.'''\n    return left + right\n" * 3
LIMIT = 2**20


def read(path, **settings):
    """Return what stays by path, and what goes by reason."""
    records = list(
        github.records(path, Reading(format="github", **{"licence": "MIT", **settings}), LIMIT, Chosen(None))
    )
    dropped = Counter(record.reason for record in records if record.reason)
    return {record.path: record for record in records if not record.reason}, dict(dropped)


def redpajama(path="src/add.py", text=CODE, **meta):
    """A record with the fields of RedPajama-v1's GitHub part, in its order."""
    given = {
        "content_hash": "b2c4a1e09f9f0bd7a2a3a6ad2ee9a1c3",
        "timestamp": "",
        "source": "github",
        "line_count": text.count("\n"),
        "max_line_length": max(map(len, text.split("\n"))),
        "avg_line_length": 27.3,
        "alnum_prop": 0.61,
        "repo_name": "someone/sums",
        "id": "6a1d6a4c4a5d3f4c8e1f3a1b7f1e2d3c4b5a6978",
        "size": str(len(text)),
        "binary": False,
        "copies": "1",
        "ref": "refs/heads/master",
        "path": path,
        "mode": "33188",
        "license": "mit",
        "language": [{"name": "Python", "bytes": "5120"}, {"name": "Shell", "bytes": "77"}],
        "symlink_target": "",
    }
    return {"text": text, "meta": {**given, **meta}}


def the_stack(path="src/add.py", text=CODE, **fields):
    """A row with the columns of The Stack, in its order."""
    repository = {"path": path, "name": "someone/sums", "head_hexsha": "ac" * 20, "licenses": ["MIT"]}
    found = {
        f"max_{kind}_repo_{name}": value for kind in ("stars", "issues", "forks") for name, value in repository.items()
    }
    return {
        "hexsha": "0f" * 20,
        "size": len(text),
        "ext": path.rpartition(".")[2],
        "lang": "Python",
        **found,
        "max_stars_count": 7.0,
        "content": text,
        "avg_line_length": 27.3,
        "max_line_length": 33,
        "alphanum_fraction": 0.61,
        **fields,
    }


def the_stack_v2(path="/src/add.py", text=CODE, **fields):
    """A row with the columns of The Stack v2 that matter, its content fetched."""
    given = {
        "blob_id": "1a" * 20,
        "path": path,
        "detected_licenses": ["Apache-2.0", "MIT"],
        "license_type": "permissive",
        "repo_name": "someone/sums",
        "revision_id": "bd" * 20,
        "branch_name": "refs/heads/main",
        "language": "Python",
        "src_encoding": "UTF-8",
        "is_vendor": False,
        "is_generated": False,
        "length_bytes": len(text),
        "extension": "py",
    }
    return {**given, "content": text, **fields}


@pytest.mark.parametrize("name", ["github.jsonl", "github.jsonl.gz", "filtered_a7d3.json"])
def test_redpajama_s_records_are_read_with_language_licence_and_address(tmp_path, name):
    kept, dropped = read(
        json_lines(tmp_path / name, [redpajama(), redpajama("b.sh", "echo some words\n" * 5, license="isc")])
    )
    assert dropped == {}
    (first, second) = kept.values()
    assert first.path == "someone/sums/src/add.py"
    assert first.text == CODE
    assert (first.language, first.licence, first.domain) == ("Python", "MIT", "github.com")
    assert first.url == "https://github.com/someone/sums/blob/master/src/add.py"
    assert (second.language, second.licence) == ("Shell", "ISC")


@pytest.mark.parametrize(("make", "licence"), [(the_stack, "MIT"), (the_stack_v2, "Apache-2.0 AND MIT")])
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_both_versions_of_the_stack_are_read_from_parquet_and_json_lines(tmp_path, make, licence, kind):
    rows = [make(), make("b.py", max_stars_repo_licenses=["GPL-3.0"], detected_licenses=["GPL-3.0"])]
    path = tmp_path / f"data.{kind}"
    pq.write_table(pa.Table.from_pylist(rows), path) if kind == "parquet" else json_lines(path, rows)
    kept, dropped = read(path)
    assert dropped == {"licence_not_permissive": 1}
    (record,) = kept.values()
    assert (record.path, record.text, record.licence) == ("someone/sums/src/add.py", CODE, licence)
    assert record.language == "Python"
    assert record.url.startswith("https://github.com/someone/sums/blob/") and record.url.endswith("/src/add.py")


def test_plain_records_with_text_path_repository_and_licence_are_read(tmp_path):
    rows = [
        {"text": CODE, "path": "a.py", "repository": "a/b", "licence": "Apache-2.0"},
        {"text": CODE, "path": "b.py"},
    ]
    kept, dropped = read(json_lines(tmp_path / "p.jsonl", rows))
    assert [record.licence for record in kept.values()] == ["Apache-2.0"]
    assert dropped == {"licence_unknown": 1}


def test_records_are_dropped_for_their_licence_or_by_a_rule_and_counted_by_reason(tmp_path):
    rows = [
        redpajama(),
        redpajama("c.py", license="gpl-2.0"),
        redpajama("d.py", license=None),
        redpajama("e.py", license="proprietary"),
        redpajama("vendor/f.py"),
        redpajama("g_pb2.py"),
        redpajama("h.js", "var a=1;" * 500),
        redpajama("i.csv", "some,words\n" * 5),
        redpajama("j.unheard"),
        redpajama("dist/k.js"),
        redpajama("LICENSE"),
        redpajama("l.py", " \n"),
    ]
    kept, dropped = read(json_lines(tmp_path / "p.jsonl", rows))
    assert list(kept) == ["someone/sums/src/add.py"]
    assert dropped == {
        "licence_not_permissive": 1,
        "licence_unknown": 2,
        "vendored": 1,
        "generated": 1,
        "minified": 1,
        "data": 1,
        "language_unknown": 1,
        "exported": 1,
        "legal": 1,
        "empty": 1,
    }


def test_what_the_dataset_holds_to_be_generated_or_vendored_is_dropped(tmp_path):
    rows = [the_stack_v2("a.py", is_generated=True), the_stack_v2("b.py", is_vendor=True), the_stack_v2("c.py")]
    kept, dropped = read(json_lines(tmp_path / "p.jsonl", rows))
    assert list(kept) == ["someone/sums/c.py"]
    assert dropped == {"generated": 1, "vendored": 1}


def test_a_column_of_texts_that_are_no_utf_8_is_read_row_by_row(tmp_path):
    texts = pa.array([b"\xff", CODE.encode(), None], pa.binary())
    column = pa.StringArray.from_buffers(3, texts.buffers()[1], texts.buffers()[2], texts.buffers()[0])
    names = pa.array(["a.py", "b.py", "c.py"])
    pq.write_table(
        pa.table({"content": column, "path": names, "license": pa.array(["mit"] * 3)}), tmp_path / "p.parquet"
    )
    kept, dropped = read(tmp_path / "p.parquet")
    assert [record.text for record in kept.values()] == [CODE]
    assert dropped == {"not_utf8": 1, "no_text": 1}


def test_a_link_s_target_is_no_code(tmp_path):
    rows = [redpajama("a.py", "lib/a.py", mode="40960"), redpajama("b.py", "c.py", symlink_target="c.py")]
    assert read(json_lines(tmp_path / "p.jsonl", rows)) == ({}, {"link": 2})


def test_what_a_file_says_of_its_licence_goes_before_its_repository_s(tmp_path):
    rows = [
        redpajama("a.c", "/* SPDX-License-Identifier: GPL-2.0-only */\n" + CODE),
        redpajama("b.c", "// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)\n" + CODE, license="gpl-2.0"),
        redpajama("c.html", "<!-- SPDX-License-Identifier: ISC -->\n<p>" + "some words " * 30, license=None),
    ]
    kept, dropped = read(json_lines(tmp_path / "p.jsonl", rows))
    assert {path: record.licence for path, record in kept.items()} == {
        "someone/sums/b.c": "GPL-2.0 OR BSD-3-Clause",
        "someone/sums/c.html": "ISC",
    }
    assert dropped == {"licence_not_permissive": 1}


def test_bad_records_are_counted_and_the_good_ones_kept(tmp_path):
    lines = [
        "{broken",
        "[1]",
        {"meta": {}},
        {"text": 5, "meta": []},
        redpajama(path=7, repo_name=None, license=["mit", None, 4], language="no such"),
        b'{"text": "\xff"}',
        redpajama(path="\ud800.py", text="\ud800"),
        redpajama(),
    ]
    kept, dropped = read(json_lines(tmp_path / "p.jsonl", lines))
    assert list(kept) == ["someone/sums/src/add.py"]
    assert dropped == {
        "not_json": 1,
        "not_object": 1,
        "no_text": 2,
        "language_unknown": 1,
        "bad_utf8": 1,
        "lone_surrogate": 1,
    }


def test_a_file_that_a_dataset_has_twice_is_taken_once(tmp_path):
    lines = [redpajama(), redpajama(text=CODE + "# later\n"), redpajama(path="src/other.py")]
    documents = Documents(json_lines(tmp_path / "p.jsonl", lines), "source", Reading(format="github"))
    (batch,) = documents
    assert batch["path"].to_pylist() == ["someone/sums/src/add.py", "someone/sums/src/other.py"]
    assert documents.rejects.counts == {"repeated_path": 1}


def test_the_first_file_of_a_path_is_that_path_s_even_if_it_is_dropped(tmp_path):
    lines = [redpajama(license=None), redpajama(), redpajama(path="src/other.py")]
    documents = Documents(json_lines(tmp_path / "p.jsonl", lines), "source", Reading(format="github"))
    (batch,) = documents
    assert batch["path"].to_pylist() == ["someone/sums/src/other.py"]
    assert documents.rejects.counts == {"licence_unknown": 1, "repeated_path": 1}


def test_an_archive_s_licence_is_that_of_its_source(tmp_path):
    members = [("p-1/src/a.py", CODE), ("p-1/LICENSE", "Permission is hereby granted"), ("p-1/b.py", b"\xff\xfe")]
    for path in (sdist(tmp_path / "p-1.tar.gz", members), wheel(tmp_path / "p-1.whl", members)):
        kept, dropped = read(path, licence="BSD-2-Clause OR Apache-2.0")
        assert {name: record.licence for name, record in kept.items()} == {"p-1/src/a.py": "BSD-2-Clause OR Apache-2.0"}
        assert dropped == {"legal": 1, "not_utf8": 1}
    assert read(path, licence="GPL-3.0-or-later") == ({}, {"licence_not_permissive": 2, "not_utf8": 1})


def test_a_source_s_own_list_of_licences_is_what_counts(tmp_path):
    path = json_lines(tmp_path / "p.jsonl", [redpajama(), redpajama("b.py", license="mpl-2.0")])
    kept, dropped = read(path, licences=("Apache-2.0", "MPL-2.0"))
    assert [record.licence for record in kept.values()] == ["MPL-2.0"]
    assert dropped == {"licence_not_permissive": 1}
    with pytest.raises(ConfigError, match="unknown licence 'MPL'"):
        read(path, licences=("MPL",))


def test_patterns_choose_files_in_archives_and_datasets_alike(tmp_path):
    members = [("p/a.py", CODE), ("p/tests/b.py", CODE), ("p/c.sh", "echo some words\n" * 5)]
    rows = [redpajama(path, text) for path, text in members]
    chosen = ("*.py", "!*/tests/*")
    assert list(read(sdist(tmp_path / "p.tar.gz", members), include=chosen)[0]) == ["p/a.py"]
    assert list(read(json_lines(tmp_path / "p.jsonl", rows), include=chosen)[0]) == ["someone/sums/p/a.py"]


def test_a_name_that_is_no_utf_8_is_shown_and_the_file_read(tmp_path):
    path = sdist(tmp_path / "p.tar.gz", [(os.fsdecode(b"caf\xe9.py"), CODE)])
    assert list(read(path)[0]) == ["caf\N{REPLACEMENT CHARACTER}.py"]


def test_links_and_paths_in_archives_that_lead_outside_are_only_names(tmp_path, monkeypatch):
    (tmp_path / "secret.py").write_text(CODE)
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    with tarfile.open(inner / "p.tar", "w") as archive:
        for name, kind in (("link.py", tarfile.SYMTYPE), ("hard.py", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "../secret.py"
            archive.addfile(link)
        member = tarfile.TarInfo("../../evil.py")
        member.size = len(CODE)
        archive.addfile(member, io.BytesIO(CODE.encode()))
    with zipfile.ZipFile(inner / "p.zip", "w") as archive:
        link = zipfile.ZipInfo("link.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, CODE)
        archive.writestr("../../evil.py", CODE)
    for name in ("p.tar", "p.zip"):
        assert list(read(inner / name)[0]) == ["../../evil.py"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inner", "p.tar", "p.zip", "secret.py"]


def test_unknown_formats_and_columns_are_errors_that_name_the_known_ones(tmp_path):
    (tmp_path / "p.docx").write_bytes(b"PK")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "p.docx")
    assert ".parquet" in caught.value.remedy
    pq.write_table(pa.table({"code_of": ["x"], "path": ["a.py"]}), tmp_path / "p.parquet")
    with pytest.raises(InputError, match="no column 'text'"):
        read(tmp_path / "p.parquet")


def test_documents_of_the_format_have_the_reader_s_columns_and_pages_stay_code(tmp_path):
    page = "<html><body><nav>Menu</nav><p>" + "Some words to read. " * 20 + "</p></body></html>"
    path = json_lines(
        tmp_path / "p.jsonl.gz", [redpajama(), redpajama("a.html", page), redpajama("b.py", license="gpl-3.0")]
    )
    documents = Documents(path, "src", Reading(format="github", licence="see the records"))
    rows = [row for batch in documents for row in batch.to_pylist()]
    assert [(row["id"], row["text"], row["language"], row["licence"]) for row in rows] == [
        ("src/someone/sums/src/add.py", CODE, "Python", "MIT"),
        ("src/someone/sums/a.html", page, "HTML", "MIT"),
    ]
    assert documents.rejects.counts == {"licence_not_permissive": 1}


def test_a_policy_may_choose_programming_languages(tmp_path, work):
    rows = [redpajama(), redpajama("b.sh", "echo some words\n" * 5), redpajama("c.py", license="gpl-3.0")]
    source = row(json_lines(tmp_path / "p.jsonl.gz", rows), corpus="code", format="github", licence="MIT OR ISC")
    made = {"fetch": work(STAGES["fetch"], FetchSection(sources=(source,)), {})}
    made["annotate"] = work(STAGES["annotate"], AnnotateSection(permutations=64), made)
    made["deduplicate"] = work(STAGES["deduplicate"], DeduplicateSection(), {"annotate": made["annotate"]})
    python = {"rules": [{"name": "language", "signal": "language", "among": ["Python"], "source": "own"}]}
    (selected,) = work(STAGES["select"], SelectSection(policies={"code": python}), made)
    (kept,) = pq.read_table(selected.path / "documents.parquet").to_pylist()
    assert (kept["id"], kept["language"], kept["text"]) == ("own/someone/sums/src/add.py", "Python", CODE)
    assert made["annotate"][0].summary["skipped"] == {"licence_not_permissive": 1}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["mit", "a.py", CODE]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
fields = st.sampled_from(
    ["text", "content", "path", "license", "licenses", "repo_name", "language", "ref", "is_vendor"]
)
rows = st.dictionaries(fields, values)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(rows, rows.map(lambda row: {**row, "meta": row}), values, st.binary(max_size=40)), max_size=6)
)
def test_any_lines_are_documents_or_reasons(tmp_path, lines):
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(raw, 1))
    for record in github.records(path, Reading(format="github"), LIMIT, Chosen(None)):
        assert record.reason or (record.text and record.language and record.licence)
        record.path.encode()
