"""Where compiled kernels are kept."""

import os

import pytest

from hominis.corpus.kernels.compiled import cache_folder


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    cache_folder.cache_clear()
    yield
    cache_folder.cache_clear()


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "one.py").write_text("1")
    return tmp_path / "kernels"


def test_any_changed_source_gives_another_folder_and_the_old_text_the_old_one(sources):
    first = cache_folder(sources)
    (sources / "two.py").write_text("2")
    cache_folder.cache_clear()
    second = cache_folder(sources)
    (sources / "two.py").unlink()
    cache_folder.cache_clear()
    assert first != second
    assert cache_folder(sources) == first
    assert first.is_relative_to(sources)


def test_a_folder_that_cannot_be_made_gives_a_private_one(sources, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache_folder(sources)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    assert os.access(folder, os.W_OK)
