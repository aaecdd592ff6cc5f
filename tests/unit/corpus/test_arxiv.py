"""arXiv's files as they are published, and papers among a project's files."""

import gzip
import io
import json
import tarfile
import tracemalloc

import pyarrow.parquet as pq
import pytest

from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.records import Reading
from hominis.errors import InputError
from hominis.stages import STAGES
from tests.unit.corpus.raw_files import as_bytes, json_lines, row, sdist, tar_bytes

PAPER = "\\documentclass{{article}}\\title{{On {0}}}\\begin{{document}}{0} is here. {1}\\end{{document}}"


def single(name):
    return gzip.compress(PAPER.format(name, "").encode(), mtime=0)


def several(members):
    return tar_bytes(members)


def bulk(path, members):
    """A tar as arXiv makes them: a folder for the month, then a file for each paper."""
    with tarfile.open(path, "w") as archive:
        folder = tarfile.TarInfo("0704")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            archive.addfile(info, io.BytesIO(as_bytes(content)))
    return path


def read(path, limit=10**6, **settings):
    documents = Documents(path, "arxiv", Reading(format="arxiv", **settings), limit)
    rows = [row for batch in documents for row in batch.to_pylist()]
    return rows, documents.rejects


def columns(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


def test_bulk_tar_gives_papers_with_their_addresses_and_titles(tmp_path):
    main = PAPER.format("Two", "\\input{sec/a}\\includegraphics{fig}")
    files = [("ms.tex", main), ("sec/a.tex", "More. % no\n"), ("fig.eps", b"\x00" * 9999), ("ms.bbl", "refs")]
    path = bulk(
        tmp_path / "arXiv_src_0704_001.tar",
        [
            ("0704/0704.0001.gz", single("One")),
            ("0704/0704.0002.gz", several(files)),
            ("0704/0704.0003.pdf", b"%PDF-1.4"),
            ("0704/astro-ph0001001.gz", single("Old")),
            ("0704/2101.12345v2.gz", single("New")),
        ],
    )
    rows, rejects = read(path, licence="LicenseRef-arXiv")
    assert columns(rows, "path", "url", "title") == [
        ("0704/0704.0001.gz", "https://arxiv.org/abs/0704.0001", "On One"),
        ("0704/0704.0002.gz", "https://arxiv.org/abs/0704.0002", "On Two"),
        ("0704/astro-ph0001001.gz", "https://arxiv.org/abs/astro-ph/0001001", "On Old"),
        ("0704/2101.12345v2.gz", "https://arxiv.org/abs/2101.12345", "On New"),
    ]
    assert [row["text"] for row in rows][:2] == ["One is here.", "Two is here. More."]
    assert {(row["licence"], row["domain"], row["language"]) for row in rows} == {
        ("LicenseRef-arXiv", "arxiv.org", None)
    }
    assert rejects.counts == {"pdf": 1}


REJECTED = {
    "pdf": gzip.compress(b"%PDF-1.5 binary"),
    "postscript": gzip.compress(b"%!PS-Adobe-2.0"),
    "dvi": gzip.compress(b"\xf7\x02\x01"),
    "html": gzip.compress(b"<html><body>paper</body></html>"),
    "withdrawn": gzip.compress(b"%auto-ignore\nThis paper has been withdrawn by the authors."),
    "empty": gzip.compress(b" \n"),
    "no_main_file": gzip.compress(b"\\section{Nothing begins here}"),
    "too_large": gzip.compress(b"x" * 50_000),
    "damaged": single("cut short")[:-20],
}


@pytest.mark.parametrize("reason", REJECTED)
def test_source_that_is_no_paper_is_rejected_by_name_and_the_next_is_read(tmp_path, reason):
    members = [("0704/0704.0001.gz", REJECTED[reason]), ("0704/0704.0002.gz", single("Two"))]
    rows, rejects = read(bulk(tmp_path / "b.tar", members), limit=10_000)
    assert columns(rows, "path") == [("0704/0704.0002.gz",)]
    assert rejects.counts == {reason: 1}
    assert rejects.samples[0]["path"] == "0704/0704.0001.gz"


@pytest.mark.parametrize(
    "damaged",
    [b"no gzip", gzip.compress(tar_bytes([("a.tex", PAPER.format("A", "x" * 5000))], compress=False)[:3000])],
)
def test_damaged_paper_in_a_whole_tar_is_rejected(tmp_path, damaged):
    _, rejects = read(bulk(tmp_path / "b.tar", [("0704/0704.0001.gz", damaged), ("0704/0704.0002.gz", single("B"))]))
    assert rejects.counts == {"damaged": 1}


def test_papers_that_are_not_utf_8_are_counted(tmp_path):
    papers = [PAPER.format("caf\u00e9", "").encode(codec) for codec in ("latin-1", "utf-8", "cp1252")]
    members = [(f"0704/0704.000{i}.gz", gzip.compress(content)) for i, content in enumerate(papers)]
    rows, rejects = read(bulk(tmp_path / "b.tar", members))
    assert {row["text"] for row in rows} == {"caf\u00e9 is here."}
    assert (rejects.notes, rejects.counts) == ({"read_as_8_bit": 2}, {})


def test_paper_of_too_many_characters_is_too_large(tmp_path):
    files = several([(f"{i}.tex", "x" * 9_000) for i in range(5)] + [("ms.tex", PAPER.format("A", ""))])
    members = [("0704/0704.0001.gz", files), ("0704/0704.0002.gz", single("B"))]
    assert read(bulk(tmp_path / "b.tar", members), limit=10_000)[1].counts == {"too_large": 1}


def test_long_file_of_data_beside_a_paper_is_left_alone(tmp_path):
    files = several([("anc/data", "1 2 3\n" * 400_000), ("ms.tex", PAPER.format("A", "\\input{anc/data}"))])
    rows, _ = read(bulk(tmp_path / "b.tar", [("0704/0704.0001.gz", files)]), limit=100_000)
    assert columns(rows, "text") == [("A is here.",)]


def test_bomb_is_rejected_without_being_unpacked_as_a_whole(tmp_path):
    bomb = gzip.compress(b"\\section{x}" + bytes(200 * 2**20), compresslevel=9)
    path = bulk(tmp_path / "b.tar", [("0704/0704.0001.gz", bomb), ("0704/0704.0002.gz", single("B"))])
    tracemalloc.start()
    rows, rejects = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(rows), rejects.counts) == (1, {"too_large": 1})
    assert peak < 40 * 2**20


def test_bomb_of_figures_is_rejected(tmp_path):
    bomb = gzip.compress(tar_bytes([("fig.eps", bytes(100 * 2**20))], compress=False), compresslevel=9)
    path = bulk(tmp_path / "b.tar", [("0704/0704.0001.gz", bomb), ("0704/0704.0002.gz", single("B"))])
    assert read(path)[1].counts == {"unpacks_too_far": 1}


def test_links_and_names_in_a_paper_that_lead_outside_are_nothing(tmp_path):
    (tmp_path / "secret.tex").write_text("secret")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        text = PAPER.format("A", "\\input{../secret}\\input{/etc/passwd}\\input{link}\\input{hard}.").encode()
        info = tarfile.TarInfo("ms.tex")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
        for name, kind in (("link.tex", tarfile.SYMTYPE), ("hard.tex", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, str(tmp_path / "secret.tex")
            archive.addfile(info)
    members = [("0704/0704.0001.gz", gzip.compress(buffer.getvalue()))]
    rows, _ = read(bulk(tmp_path / "b.tar", members))
    assert columns(rows, "text") == [("A is here. .",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "secret.tex"]


def test_papers_of_a_project_are_put_together_and_unused_files_named(tmp_path):
    files = [
        ("p-1/paper/ms.tex", PAPER.format("A", "\\input{part}")),
        ("p-1/paper/part.tex", "part"),
        ("p-1/joss/paper.tex", PAPER.format("B", "")),
        ("p-1/docs/left.tex", "left over"),
        ("p-1/setup.py", "run()"),
        ("p-1/other/ms.tex", PAPER.format("C", "")),
    ]
    rows, rejects = read(sdist(tmp_path / "p.tar.gz", files), include=("*.tex", "!*/other/*"), licence="MIT")
    assert columns(rows, "id", "text", "licence", "url") == [
        ("arxiv/p-1/joss/paper.tex", "B is here.", "MIT", None),
        ("arxiv/p-1/paper/ms.tex", "A is here. part", "MIT", None),
    ]
    assert [(sample["reason"], sample["path"]) for sample in rejects.samples] == [("no_main_file", "p-1/docs/left.tex")]


@pytest.mark.parametrize("name", ["paper.tex", "paper.tex.gz"])
def test_single_file_is_a_paper(tmp_path, name):
    content = PAPER.format("A", "").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    rows, _ = read(tmp_path / name)
    assert columns(rows, "path", "text") == [("paper.tex", "A is here.")]


def test_redpajama_lines_keep_their_text_language_and_address(tmp_path):
    meta = {
        "timestamp": "2022-11-03T01:02:38",
        "yymm": "2211",
        "arxiv_id": "2211.01293",
        "language": "en",
        "url": "https://arxiv.org/abs/2211.01293",
    }
    text = "\\section{Introduction}\n% kept\nLet $x$."
    lines = [{"text": text, "meta": meta}, {"text": "no meta"}, {"meta": meta}, "{"]
    rows, rejects = read(json_lines(tmp_path / "arxiv_0.jsonl", lines))
    assert columns(rows, "text", "language", "url", "domain") == [
        (text, "en", "https://arxiv.org/abs/2211.01293", "arxiv.org"),
        ("no meta", None, None, "arxiv.org"),
    ]
    assert rejects.counts == {"no_text": 1, "not_json": 1}
    assert json.loads(json.dumps(rows[0]))["path"] == "arxiv_0.jsonl:0"


def test_bulk_tar_of_which_nothing_can_be_read_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no document can be read from source 'arxiv' \(skipped: pdf: 1\)"):
        read(bulk(tmp_path / "b.tar", [("0704/0704.0001.pdf", b"%PDF")]))


def test_bulk_tar_that_is_cut_short_is_an_error_that_names_it(tmp_path):
    path = bulk(tmp_path / "b.tar", [("0704/0704.0001.gz", single("A")), ("0704/0704.0002.gz", b"x" * 5000)])
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(InputError, match=r"b\.tar is cut short or damaged"):
        read(path)


def test_memory_is_that_of_one_paper(tmp_path):
    import random

    noise = random.Random(1).randbytes(2**20)
    papers = [(f"0704/0704.{i:04d}.gz", several([("a.tex", PAPER.format(i, "")), ("f.eps", noise)])) for i in range(30)]
    path = bulk(tmp_path / "b.tar", papers)
    tracemalloc.start()
    rows, _ = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(rows) == 30
    assert peak < 8 * 2**20


def test_papers_go_from_the_bulk_tar_to_their_selection(tmp_path, work):
    long = "\\section{Results} We show that the bound holds with some more words in it. % no\n" * 4
    main = PAPER.format("Perch\u00e9", long).encode("latin-1")
    members = [("0704/0704.0001.gz", gzip.compress(main)), ("0704/0704.0002.pdf", b"%PDF")]
    source = row(bulk(tmp_path / "b.tar", members), corpus="arxiv", format="arxiv", licence="LicenseRef-arXiv")
    made = {"fetch": work(STAGES["fetch"], FetchSection(sources=(source,)), {})}
    made["annotate"] = work(STAGES["annotate"], AnnotateSection(permutations=64), made)
    made["deduplicate"] = work(STAGES["deduplicate"], DeduplicateSection(), {"annotate": made["annotate"]})
    words = {"rules": [{"name": "words", "signal": "rps_doc_word_count", "min": 20, "source": "own"}]}
    (selected,) = work(STAGES["select"], SelectSection(policies={"arxiv": words}), made)
    (kept,) = pq.read_table(selected.path / "documents.parquet").to_pylist()
    assert kept["id"] == "own/0704/0704.0001.gz"
    assert kept["text"].startswith("Perch\u00e9 is here. \\section{Results} We show") and "%" not in kept["text"]
    summary = made["annotate"][0].summary
    assert (summary["skipped"], summary["noted"]) == ({"pdf": 1}, {"read_as_8_bit": 1})
