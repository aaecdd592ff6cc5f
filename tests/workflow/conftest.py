"""Runs shared by the tests of a module: the corpora, and the cheap stages done once."""

import shutil

import pytest

from tests.workflow import tiny


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """The table of sources of the tiny corpora."""
    return tiny.write_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="session")
def annotated(corpora, tmp_path_factory):
    """A run whose text stages are done."""
    run = tiny.Run(tmp_path_factory.mktemp("annotated"), tiny.settings(corpora))
    for stage in ("fetch", "annotate", "deduplicate", "select"):
        run.hominis(stage)
    return run


@pytest.fixture
def text_run(annotated, tmp_path):
    """A copy of that run, to do harm to."""
    for name in ("site", "results"):
        shutil.copytree(annotated.folder / name, tmp_path / name)
    return tiny.Run(tmp_path, annotated.settings)
