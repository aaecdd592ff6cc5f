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


@pytest.mark.parametrize("verb", ["config", "policy", "sources"])
def test_help_of_a_group_says_each_of_its_verbs_in_full(verb):
    listed = CliRunner().invoke(cli, [verb, "--help"], prog_name="hominis").output.partition("Commands:")[2]
    assert listed and "..." not in listed


def test_run_that_is_not_there_is_answered_with_where_to_start(tmp_path):
    assert "hominis config default" in hominis("status", "-c", "no.yaml", cwd=tmp_path).stderr


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


@pytest.mark.parametrize("what", ["status", "--help"])
def test_status_and_help_import_nothing_that_starts_slowly(what):
    """Imports are looked at, not seconds: a loaded machine would make any bound on those a lie."""
    called = f"cli([{what!r}], standalone_mode=False)" if what == "--help" else f"cli.get_command(None, {what!r})"
    code = f"import sys; from hominis.cli import cli; {called}; print(sorted(HEAVY & sys.modules.keys()))"
    heavy = {"torch", "polars", "pyarrow", "numpy", "numba", "codecarbon", "transformers", "snakemake", "submitit"}
    done = subprocess.run([sys.executable, "-c", f"HEAVY = {heavy}\n{code}"], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
