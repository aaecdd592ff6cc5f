"""Every reader on files that were good once: whatever is changed in them, documents or one clear error come out."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hominis.config.corpus import AnnotateSection
from hominis.corpus.annotations import annotated
from hominis.corpus.published import Published
from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.records import Reading
from hominis.errors import InputError
from tests.unit.corpus.raw_files import as_bytes, deb, json_lines, tar_bytes, wheel
from tests.unit.corpus.redpajama_files import (
    SHARD,
    document,
    documents_file,
    duplicates_file,
    minhash_file,
    signals_file,
    signals_of,
)

LIMIT = 100_000
CODE = "def area(width, height):\n    return width * height\n" * 4
PAPER = (
    "\\documentclass{a}\\newcommand{\\x}[1]{#1, #1}\\title{A}\\begin{document}\\x{b} $c$ % d\n\\input{e}\\end{document}"
)
PAGE = "<html><body><nav>menu</nav><p>Some <b>text</b> &amp; more</p><script>x()</script></body></html>"
MEMBERS = [
    ("p/a.py", CODE),
    ("p/caf\u00e9.md", "# Prose\nabout it\n"),
    ("p/c.tex", PAPER),
    ("p/e.tex", "f"),
    ("p/g.html", PAGE),
]
META = {"path": "a.py", "repo_name": "a/b", "license": "mit", "language": "en", "url": "https://arxiv.org/abs/1"}
LINES = [
    {"text": CODE, "meta": META},
    {"content": CODE, "path": "b.py", "max_stars_repo_licenses": ["mit"], "lang": "Python"},
    {"raw_content": "A page.", "url": "http://x", "language": "en", "language_score": 0.9, "title": "\u00e9"},
]
COLUMNS = {"text": [CODE, None, "\u00e9" * 50], "path": ["a.py", "b.py", "c.md"], "license": ["mit"] * 3}
PACKED = {
    "gz": (lambda content: gzip.compress(content, 1), gzip.decompress),
    "xz": (lambda content: lzma.compress(content, preset=0), lzma.decompress),
    "bz2": (lambda content: bz2.compress(content, 1), bz2.decompress),
}


def pax(path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in MEMBERS:
            member = tarfile.TarInfo("x" * 120 + name)
            member.size, member.pax_headers = len(as_bytes(content)), {"comment": "\u00e9" * 40}
            archive.addfile(member, io.BytesIO(as_bytes(content)))


def deflated(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for kind, (name, content) in zip(
            (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2), MEMBERS[:3], strict=True
        ):
            archive.writestr(name, content, kind)


def bulk(path: Path) -> None:
    papers = [("0704/0704.0001.gz", gzip.compress(PAPER.encode())), ("0704/0704.0002.gz", tar_bytes(MEMBERS))]
    path.write_bytes(tar_bytes([*papers, ("0704/0704.0003.pdf", b"%PDF")], compress=False))


MADE = {
    "a.tar.gz": lambda path: path.write_bytes(tar_bytes(MEMBERS)),
    "a.tar": pax,
    "a.tar.xz": lambda path: path.write_bytes(lzma.compress(tar_bytes(MEMBERS, compress=False))),
    "a.tar.bz2": lambda path: path.write_bytes(bz2.compress(tar_bytes(MEMBERS, compress=False))),
    "a.tar.zst": lambda path: path.write_bytes(pa.compress(tar_bytes(MEMBERS, compress=False), "zstd", asbytes=True)),
    "a.whl": lambda path: wheel(path, MEMBERS),
    "a.zip": deflated,
    "a.deb": lambda path: deb(path, MEMBERS),
    "arXiv_src_0704_001.tar": bulk,
    "a.jsonl": lambda path: json_lines(path, LINES),
    "a.json.gz": lambda path: json_lines(path, LINES),
    "a.parquet": lambda path: pq.write_table(pa.table(COLUMNS), path),
    "a.txt.gz": lambda path: path.write_bytes(gzip.compress(CODE.encode())),
    "a.tex": lambda path: path.write_text(PAPER),
    "a.html": lambda path: path.write_text(PAGE),
}
FORMATS = {".jsonl": ["", "github", "arxiv", "redpajama"], ".gz": ["", "github", "arxiv", "redpajama"], ".html": [""]}

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "flip", "cut", "end", "copy"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(
            st.binary(min_size=1, max_size=9),
            st.sampled_from([b"\xff" * 8, bytes(8), b"99999999", b"-1      ", b"\x01"]),
        ),
        st.sampled_from([1, 8, 100, 512]),
    ),
    min_size=1,
    max_size=6,
)


@cache
def original(name: str, folder: Path) -> bytes:
    MADE[name](folder / name)
    return (folder / name).read_bytes()


def edited(content: bytes, edits) -> bytes:
    for kind, where, piece, size in edits:
        at = int(where * len(content))
        before, after = content[:at], content[at:]
        match kind:
            case "put":
                content = before + piece + after
            case "flip":
                content = before + piece[: len(after)] + after[len(piece) :]
            case "cut":
                content = before + after[size:]
            case "end":
                content = before
            case "copy":
                content = before + after[:size] + after
    return content


def changed(name: str, content: bytes, edits, within: bool) -> bytes:
    """The file with the edits; or, if it is compressed, what is in it."""
    ending = name.rpartition(".")[2]
    if not within or ending not in PACKED:
        return edited(content, edits)
    pack, unpack = PACKED[ending]
    return pack(edited(unpack(content), edits))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(sorted(MADE)), edits=EDITS, within=st.booleans())
def test_changed_files_give_documents_or_one_clear_error(data, name, edits, within, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    form = data.draw(st.sampled_from(FORMATS.get(Path(name).suffix, ["", "github", "arxiv"])))
    (folder / name).write_bytes(changed(name, original(name, folder), edits, within))
    documents = Documents(folder / name, "own", Reading(format=form, licence="MIT", revision="a/b"), LIMIT)
    found = []
    try:
        for batch in documents:
            batch.validate(full=True)
            assert all(0 < len(text.encode()) <= LIMIT and "\0" not in text for text in batch["text"].to_pylist())
            found += texts_of(batch)
    except InputError as error:
        found.clear()
        str(error).encode()
    json.dumps(documents.rejects.samples, ensure_ascii=False).encode()
    some = [row for row in found if data.draw(st.booleans())]
    if found:
        again = replace(documents, chosen=[path for path, *_ in some])
        assert [row for batch in again for row in texts_of(batch)] == some, "those chosen are read again as they were"


def texts_of(batch: pa.RecordBatch) -> list[tuple[str, str, str]]:
    return list(zip(*(batch[name].to_pylist() for name in ("path", "id", "text")), strict=True))


TEXTS = [f"This is text number {n} of some words and more words.\nThe second line of {n}." for n in range(6)]
DOCUMENTS = [document(text, url=f"https://www.example.org/{n}", digest=f"sha1:{n}") for n, text in enumerate(TEXTS)]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([2**63, 10**400, "x", "\ud800", "inf", {}]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
SECTIONS = (
    AnnotateSection(permutations=8),
    AnnotateSection(signature="redpajama", shingle_words=13, permutations=128),
)


@cache
def published(root: Path) -> tuple[Path, ...]:
    """A shard of six documents, and the files about them."""
    signals = [signals_of(n, given, rps_doc_word_count=10) for n, given in enumerate(DOCUMENTS)]
    about = (
        duplicates_file(root, {1: "sha1:1", 2: "sha1:9"}),
        minhash_file(root, {n: range(n, n + 128) for n in range(6)}),
    )
    return documents_file(root, DOCUMENTS), signals_file(root, signals), *about


def joined(documents: Path, about: list[Path], section: AnnotateSection) -> None:
    """Read, measure and join, as the stage does; checks what comes out."""
    found = Published(about, signatures=section.signature == "redpajama")
    read = Documents(documents, "own", Reading(format="redpajama", revision=SHARD), LIMIT)
    for batch in map(found.with_signatures, read):
        rows = found.joined(annotated(batch, {"source": "own", "corpus": "web"}, section), batch)
        rows.validate(full=True)
        assert rows["bytes"].to_pylist() == [len(text.encode()) for text in batch["text"].to_pylist()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 3), edits=EDITS, within=st.booleans(), section=st.sampled_from(SECTIONS))
def test_changed_files_of_redpajama_are_joined_or_one_clear_error(which, edits, within, section, tmp_path_factory):
    files = published(tmp_path_factory.getbasetemp() / "shard")
    before = files[which].read_bytes()
    files[which].write_bytes(changed(files[which].name, before, edits, within))
    try:
        joined(files[0], list(files[1:]), section)
    except InputError as error:
        str(error).encode()
    finally:
        files[which].write_bytes(before)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd=ODD, place=st.sampled_from(["id", "metadata", "url", "quality_signals", "signal", "value"]))
def test_signals_of_any_shape_are_joined_or_rejected(odd, place, tmp_path_factory):
    line = signals_of(0, DOCUMENTS[0], rps_doc_word_count=10)
    holder = {"url": line["metadata"], "signal": line["quality_signals"]}.get(place, line)
    if place == "value":
        line["quality_signals"]["rps_doc_word_count"][0][2] = odd
    else:
        holder["rps_doc_word_count" if place == "signal" else place] = odd
    root = tmp_path_factory.getbasetemp() / "odd"
    about = [signals_file(root, [line, signals_of(1, DOCUMENTS[1])])]
    joined(documents_file(root, DOCUMENTS), about, SECTIONS[0])
