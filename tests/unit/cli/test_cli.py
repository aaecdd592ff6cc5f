"""The command line as people meet it."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from hominis.cli import VERBS, cli
from hominis.stages import STAGES

PEOPLE = [verb for verb in VERBS if verb != "part"]


def hominis(*what, **kwargs):
    return subprocess.run([sys.executable, "-m", "hominis", *what], capture_output=True, text=True, **kwargs)


def test_help_names_every_verb_and_the_exit_codes():
    text = CliRunner().invoke(cli, ["--help"]).output
    assert all(verb in text for verb in [*PEOPLE, *STAGES])
    assert "0 done" in text and "2 bad usage" in text
    assert " part " not in text


@pytest.mark.parametrize("verb", [*PEOPLE, *STAGES])
def test_each_verb_has_examples(verb):
    text = CliRunner().invoke(cli, [verb, "--help"], prog_name="hominis").output
    assert "Examples:" in text or "hominis config" in text
    assert f"hominis {verb}" in text


@pytest.mark.parametrize(
    "what", [["nonsense"], ["status", "--nonsense"], ["fetch", "--jobs", "0"], ["status", "-c", "no.yaml"]]
)
def test_bad_usage_exits_with_two(what, tmp_path):
    done = hominis(*what, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_doctor_finds_this_machine_ready_enough_to_test(tmp_path):
    done = hominis("doctor", "--json", "--site", str(tmp_path))
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert found["Python"]["good"] and found["torch"]["good"] and found["file system"]["good"]
    assert done.returncode == int(any(f["good"] is False for f in found.values()))


def test_doctor_names_what_is_missing_and_the_remedy(tmp_path):
    done = hominis("doctor", "--site", str(tmp_path), env={"PATH": str(tmp_path)})
    assert "bubblewrap" in done.stdout and "apt-get install bubblewrap" in done.stdout


def test_status_starts_fast():
    """Only what status itself imports is timed: a loaded machine would make any bound on seconds a lie."""
    code = "import sys, hominis.cli.status; print(sorted(m for m in sys.modules if m in HEAVY))"
    heavy = {"torch", "polars", "pyarrow", "numpy", "codecarbon", "transformers", "snakemake", "pandas"}
    done = subprocess.run([sys.executable, "-c", f"HEAVY = {heavy}\n{code}"], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
