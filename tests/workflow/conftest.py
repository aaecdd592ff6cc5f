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
    for stage in ("fetch", "annotate", "deduplicate", "questions", "select"):
        run.hominis(stage)
    return run


@pytest.fixture(scope="session")
def tokenised(annotated, tmp_path_factory):
    """A run that is ready to train."""
    run = copy(annotated, tmp_path_factory.mktemp("tokenised"))
    for stage in ("vocabulary", "tokenise"):
        run.hominis(stage)
    return run


def copy(run, folder):
    """Return a copy of a run, to do harm to."""
    for name in ("site", "results"):
        shutil.copytree(run.folder / name, folder / name)
    return tiny.Run(folder, run.settings)


@pytest.fixture
def text_run(annotated, tmp_path):
    """A copy of the run whose text stages are done."""
    return copy(annotated, tmp_path)


@pytest.fixture(scope="session")
def secrets():
    """Twenty secrets, by name or by shape, as they stand in people's environments."""
    named = {f"{name}_{i}": f"planted-{i}-{name.lower()}-value" for i, name in enumerate(NAMES)}
    shaped = {f"HOMINIS_NOTE_{i}": secret for i, secret in enumerate(SHAPES)}
    assert len(named | shaped) == 20
    return named | shaped


NAMES = [
    "KEY",
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "AUTH",
    "CREDENTIAL",
    "HF_TOKEN",
    "SLURM_JWT_TOKEN",
    "HOMINIS_SECRET",
    "x_key",
]
SHAPES = [
    "hf_" + "QwErTy12" * 4,
    "ghp_" + "Zz9Yy8Xx" * 5,
    "github_pat_" + "22BBCCdd33" * 3,
    "AKIA" + "ZYXWVUTS87654321",
    "sk-" + "live9876543210zyxwvuts",
    "xoxb-" + "210987654321-jihgfedcba",
    "glpat-" + "zyxwvuts87654321abc",
    "AIza" + "SyZ9876543210zyxwvutsrqponmlkjih",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiI5ODc2In0." + "c2lnbmVkLWJ5LW1l",
    "https://me:" + "hunter2hunter2" + "@example.org/simple",
]


@pytest.fixture(scope="session")
def undisturbed(corpora, secrets, tmp_path_factory):
    """A whole run through Snakemake, nothing killed, with secrets in its environment."""
    run = tiny.Run(tmp_path_factory.mktemp("undisturbed"), tiny.settings(corpora), secrets)
    run.printed = run.finish()
    return run
