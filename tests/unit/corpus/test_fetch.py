"""Raw files from folders, from a package index served on this machine, and from apt where it is."""

import hashlib
import os
import shutil
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from hominis.config.corpus import FetchSection
from hominis.corpus import debian, fetch
from hominis.corpus.packages import pip_settings
from hominis.errors import InputError, Interrupted
from hominis.stages import STAGES
from hominis.store.types import Part
from tests.unit.corpus.raw_files import json_lines, row, sdist
from tests.unit.corpus.selected import LocalScratch

NAME = "toy-1.0.tar.gz"


class Ranges(SimpleHTTPRequestHandler):
    """A static server that serves the rest of a file from a byte on, as package indexes do."""

    def __init__(self, *args, asked, ranges, **kwargs):
        self.asked, self.ranges = asked, ranges
        super().__init__(*args, **kwargs)

    def do_GET(self):
        asked = self.headers.get("Range")
        self.asked.append((self.path, asked))
        if not asked or not self.ranges:
            return super().do_GET()
        begin = int(asked.removeprefix("bytes=").rstrip("-"))
        rest = Path(self.translate_path(self.path)).read_bytes()[begin:]
        if not rest:
            return self.send_error(416)
        self.send_response(206)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    def log_message(self, *args):
        pass


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Serve one project; return a function that starts the server and gives the list of what is asked of it."""
    root = tmp_path / "index"
    (root / "toy").mkdir(parents=True)
    path = sdist(root / "toy" / NAME, [(f"toy-1.0/{n}.txt", hashlib.sha512(bytes([n])).hexdigest()) for n in range(99)])
    (root / "toy" / "index.html").write_text(f'<a href="{NAME}">{NAME}</a>')
    servers = []

    def serve(ranges=True):
        asked = []
        handler = partial(Ranges, directory=str(root), asked=asked, ranges=ranges)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        for name in ("EXTRA_INDEX_URL", "FIND_LINKS", "TRUSTED_HOST"):
            monkeypatch.setenv(f"PIP_{name}", "")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{servers[-1].server_port}")
        return asked

    serve.source = row(path, name="toy", kind="pypi-sdist", locator="toy", revision="1.0")
    serve.content = path.read_bytes()
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def run(source, scratch, downloads):
    section = FetchSection(sources=(source,), downloads=downloads)
    (part,) = fetch.parts(section, {})
    return fetch.work(section, {}, part, scratch)


def test_package_is_downloaded_from_the_index_that_pip_is_set_to(tmp_path, index):
    index()
    scratch = LocalScratch(tmp_path / "scratch")
    summary = run(index.source, scratch, tmp_path / "none")
    assert (scratch.out / NAME).read_bytes() == index.content
    assert [path.name for path in scratch.out.iterdir()] == [NAME]
    assert summary["sha256"] == hashlib.sha256(index.content).hexdigest()
    assert (summary["source"], summary["revision"], summary["bytes"]) == ("toy", "1.0", len(index.content))


@pytest.mark.parametrize("ranges", [True, False])
def test_download_that_was_cut_off_is_continued(tmp_path, index, ranges):
    asked = index(ranges)
    scratch = LocalScratch(tmp_path / "scratch")
    (scratch.checkpoints / f"{NAME}.partial").write_bytes(index.content[:1000])
    run(index.source, scratch, tmp_path / "none")
    assert (f"/toy/{NAME}", "bytes=1000-") in asked
    assert (scratch.out / NAME).read_bytes() == index.content


def test_download_stops_when_asked_and_keeps_what_it_has(tmp_path, index):
    index()
    scratch = LocalScratch(tmp_path / "scratch")
    scratch.stopping = True
    with pytest.raises(Interrupted):
        run(index.source, scratch, tmp_path / "none")
    kept = (scratch.checkpoints / f"{NAME}.partial").read_bytes()
    assert kept
    assert index.content.startswith(kept)


def test_wrong_hash_is_an_error_that_names_both(tmp_path, index):
    index()
    wrong = index.source.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(InputError) as caught:
        run(wrong, LocalScratch(tmp_path / "scratch"), tmp_path / "none")
    assert "0" * 64 in caught.value.problem
    assert index.source.sha256 in caught.value.problem


def test_server_that_sends_more_than_the_row_says_is_cut_short(tmp_path, index):
    index()
    scratch = LocalScratch(tmp_path / "scratch")
    shorter = index.source.model_copy(update={"bytes": len(index.content) - 1})
    with pytest.raises(InputError, match=f"more of {NAME} than the {shorter.bytes} bytes"):
        run(shorter, scratch, tmp_path / "none")
    assert all(done <= shorter.bytes for done, *_ in scratch.reports)
    assert [*scratch.checkpoints.iterdir(), *scratch.out.iterdir()] == []


def test_wrong_length_is_an_error(tmp_path):
    path = json_lines(tmp_path / "a.jsonl", [{"text": "x"}])
    with pytest.raises(InputError, match="and 13 bytes are expected"):
        run(row(path, bytes=13), LocalScratch(tmp_path / "scratch"), tmp_path / "none")


def test_corrupt_partial_download_does_not_stand_in_the_way_for_ever(tmp_path, index):
    index()
    scratch = LocalScratch(tmp_path / "scratch")
    (scratch.checkpoints / f"{NAME}.partial").write_bytes(b"rubbish")
    with pytest.raises(InputError, match="not the file it should be"):
        run(index.source, scratch, tmp_path / "none")
    (scratch.out / NAME).unlink()
    run(index.source, scratch, tmp_path / "none")
    assert (scratch.out / NAME).read_bytes() == index.content


def test_partial_file_longer_than_the_published_one_is_dropped(tmp_path, index):
    index()
    scratch = LocalScratch(tmp_path / "scratch")
    longer = index.source.model_copy(update={"bytes": 10**6})
    (scratch.checkpoints / f"{NAME}.partial").write_bytes(b"x" * 10**5)
    with pytest.raises(InputError, match="broke off"):
        run(longer, scratch, tmp_path / "none")
    assert list(scratch.checkpoints.iterdir()) == []


def test_file_at_hand_is_taken_without_asking_anybody(tmp_path, index):
    asked = index()
    shutil.copytree(tmp_path / "index" / "toy", tmp_path / "downloads")
    scratch = LocalScratch(tmp_path / "scratch")
    run(index.source, scratch, tmp_path / "downloads")
    assert (scratch.out / NAME).read_bytes() == index.content
    assert asked == []


def test_file_at_hand_of_another_content_is_passed_over(tmp_path, index):
    index()
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / NAME).write_bytes(b"another")
    scratch = LocalScratch(tmp_path / "scratch")
    run(index.source, scratch, tmp_path / "downloads")
    assert (scratch.out / NAME).read_bytes() == index.content


@pytest.mark.parametrize("change", [{"locator": "absent"}, {"revision": "2.0"}, {"file": "toy-1.0.zip"}])
def test_release_that_no_index_offers_is_an_error_with_a_remedy(tmp_path, index, change):
    index()
    with pytest.raises(InputError) as caught:
        run(index.source.model_copy(update=change), LocalScratch(tmp_path / "scratch"), tmp_path / "none")
    assert "fetch.downloads" in caught.value.remedy


def test_index_that_does_not_answer_is_an_error_with_a_remedy(tmp_path, index, monkeypatch):
    index()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError) as caught:
        run(index.source, LocalScratch(tmp_path / "scratch"), tmp_path / "none")
    assert "fetch.downloads" in caught.value.remedy


def test_own_file_that_is_gone_is_named(tmp_path):
    path = json_lines(tmp_path / "a.jsonl", [{"text": "x"}])
    source = row(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot read the source's file") as caught:
        run(source, LocalScratch(tmp_path / "scratch"), tmp_path / "none")
    assert str(path) in caught.value.where


def test_own_file_that_is_a_folder_is_told_how_folders_are_described(tmp_path):
    source = row(json_lines(tmp_path / "a.jsonl", [{"text": "x"}]), locator=str(tmp_path))
    with pytest.raises(InputError, match="cannot read the source's file: Is a directory") as caught:
        run(source, LocalScratch(tmp_path / "scratch"), tmp_path / "none")
    assert "hominis sources folder" in caught.value.remedy


def test_parts_are_the_chosen_sources_in_the_order_of_the_table(tmp_path):
    files = {name: json_lines(tmp_path / f"{name}.jsonl", [{"text": name}]) for name in "abc"}
    sources = tuple(row(path, name=name) for name, path in files.items())
    assert [part.id for part in fetch.parts(FetchSection(sources=sources, only=("c", "a")), {})] == ["a", "c"]


def test_a_note_changes_no_key(tmp_path):
    source = row(json_lines(tmp_path / "a.jsonl", [{"text": "x"}]))
    noted = source.model_copy(update={"note": "a remark", "optional": True})
    (one,), (other,) = (fetch.parts(FetchSection(sources=(s,)), {}) for s in (source, noted))
    assert one == other


def test_optional_source_that_cannot_be_had_is_left_out_and_logged(tmp_path, caplog):
    deb = row(json_lines(tmp_path / "a", [{}]), kind="deb", locator="no-such-package", revision="1", optional=True)
    needed = deb.model_copy(update={"name": "needed", "optional": False})
    section = FetchSection(sources=(deb, needed), downloads=tmp_path / "none")
    assert [part.id for part in fetch.parts(section, {})] == ["needed"]
    assert "left out: the optional source own" in caplog.text


def test_optional_source_at_hand_is_a_part(tmp_path):
    path = json_lines(tmp_path / "a", [{}])
    deb = row(path, kind="deb", locator="no-such-package", revision="1", optional=True)
    assert [part.id for part in fetch.parts(FetchSection(sources=(deb,), downloads=tmp_path), {})] == ["own"]


def test_optional_download_leaves_a_copy_that_serves_without_the_server(tmp_path, index, monkeypatch):
    index()
    source = index.source.model_copy(update={"optional": True})
    run(source, LocalScratch(tmp_path / "first"), tmp_path / "downloads")
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == [NAME]
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    again = LocalScratch(tmp_path / "again")
    run(source, again, tmp_path / "downloads")
    assert (again.out / NAME).read_bytes() == index.content


@pytest.mark.parametrize("changes", [{"optional": False}, {"optional": True, "sha256": "0" * 64}])
def test_no_copy_is_left_of_a_needed_or_a_wrong_file(tmp_path, index, changes):
    index()
    with suppress(InputError):
        run(index.source.model_copy(update=changes), LocalScratch(tmp_path / "scratch"), tmp_path / "downloads")
    assert not (tmp_path / "downloads").exists()


def test_copy_that_cannot_be_written_stops_nothing(tmp_path, index):
    index()
    (tmp_path / "downloads").write_text("a file, no folder")
    scratch = LocalScratch(tmp_path / "scratch")
    run(index.source.model_copy(update={"optional": True}), scratch, tmp_path / "downloads")
    assert (scratch.out / NAME).read_bytes() == index.content


APT = """#!/bin/sh
test -e "$0.broken" && { echo "E: the cache is locked" >&2; exit 100; }
case "$*" in
    *--print-uris*) echo "'http://nowhere/toy.deb' toy.deb 9" ;;
    *) printf 'a package' > toy.deb ;;
esac
"""


def test_optional_package_that_was_had_once_stays_when_apt_fails_later(tmp_path, monkeypatch, caplog):
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(APT)
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(apt.parent), prepend=os.pathsep)
    (tmp_path / "toy.deb").write_bytes(b"a package")
    had, other = (
        row(tmp_path / "toy.deb", name=name, kind="deb", locator=name, revision="1", optional=True, file=f"{name}.deb")
        for name in ("toy", "other")
    )
    run(had, LocalScratch(tmp_path / "scratch"), tmp_path / "downloads")
    apt.with_name("apt-get.broken").touch()
    section = FetchSection(sources=(had, other), downloads=tmp_path / "downloads")
    assert [part.id for part in fetch.parts(section, {})] == ["toy"]
    assert "other cannot be had on this machine: E: the cache is locked" in caplog.text


def test_machine_without_apt_offers_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian.refused([("bash", "1")]) == {("bash", "1"): "there is no apt-get"}
    with pytest.raises(InputError, match="no apt-get"):
        debian.download("bash", "1", tmp_path)


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get on this machine")
def test_apt_is_asked_for_the_very_version(tmp_path):
    refused = debian.refused([("bash", "0.no-such-version"), ("no-such-package", "1")])
    assert set(refused) == {("bash", "0.no-such-version"), ("no-such-package", "1")}
    assert all(refused.values())
    with pytest.raises(InputError, match="apt-get does not get no-such-package 1"):
        debian.download("no-such-package", "1", tmp_path)


def test_environment_comes_before_pips_files():
    settings = pip_settings({"PIP_INDEX_URL": "http://a/simple", "PIP_FIND_LINKS": "one two"})
    assert settings["index-url"] == ["http://a/simple"]
    assert settings["find-links"] == ["one", "two"]


def test_stage_publishes_the_raw_file(tmp_path, work):
    path = json_lines(tmp_path / "a.jsonl", [{"text": "x"}])
    (made,) = work(STAGES["fetch"], FetchSection(sources=(row(path),)), {})
    assert made.receipt.files["a.jsonl"]["sha256"] == row(path).sha256
    assert isinstance(Part(made.part, made.receipt.params).params["include"], list)
