"""Artefacts: bytes or nothing."""

import os

import pytest

from hominis.errors import CorruptArtefact
from hominis.store import artefacts, run
from hominis.store.types import Part
from tests.unit.store import toy
from tests.unit.store.toy import ToySection


@pytest.fixture
def made(site):
    part = Part("p0", {"number": 0})
    run.run_part(site, toy.stage(), ToySection(), part, {}, run="test")
    key = run.key_of(toy.stage(), ToySection(), part, {})
    return site, key, site.artefact("toy", key) / "data.txt"


def flip(path):
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    with path.open("r+b") as file:
        file.write(data)


def truncate(path):
    os.truncate(path, 3)


def replace_with_same_size_and_time(path):
    stat, size = path.stat(), path.stat().st_size
    path.unlink()
    path.write_bytes(b"x" * size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def flip_and_put_time_back(path):
    stat = path.stat()
    flip(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("fault", [flip, truncate, replace_with_same_size_and_time, flip_and_put_time_back])
def test_changed_bytes_are_found_with_both_hashes(made, fault):
    site, key, path = made
    artefacts.open_artefact(site, "toy", key)
    before = path.read_bytes()
    fault(path)
    assert path.read_bytes() != before
    with pytest.raises(CorruptArtefact) as caught:
        artefacts.open_artefact(site, "toy", key)
    message = str(caught.value)
    expected = artefacts.read_receipt(site, "toy", key).files["data.txt"]["sha256"]
    assert str(path) in message and expected in message and "hominis repair" in message


def test_a_removed_file_is_found(made):
    site, key, path = made
    path.unlink()
    with pytest.raises(CorruptArtefact, match="is gone"):
        artefacts.open_artefact(site, "toy", key)


def test_a_whole_artefact_is_hashed_once(made, monkeypatch):
    site, key, path = made
    artefacts.open_artefact(site, "toy", key)
    read = []
    real = artefacts.files.sha256
    monkeypatch.setattr(artefacts.files, "sha256", lambda p: read.append(p) or real(p))
    artefacts.open_artefact(site, "toy", key)
    assert read == []
    artefacts.open_artefact(site, "toy", key, deep=True)
    assert read == [path]


def test_a_receipt_that_is_not_the_listed_one_is_refused(made):
    site, key, _ = made
    with pytest.raises(CorruptArtefact, match="the receipt that names it says"):
        artefacts.open_artefact(site, "toy", key, "0" * 64)


@pytest.mark.parametrize("text", ["", "{", '{"stage": 1}', "[]"])
def test_a_receipt_that_is_garbage_is_refused(made, text):
    site, key, path = made
    path.with_name("receipt.json").write_text(text)
    with pytest.raises(CorruptArtefact):
        artefacts.open_artefact(site, "toy", key)


def test_a_retired_artefact_keeps_its_bytes(made):
    site, key, path = made
    text = path.read_text()
    away = artefacts.retire(site, "toy", key)
    assert not path.exists()
    assert (away / "data.txt").read_text() == text
    assert artefacts.retire(site, "toy", key) is None
