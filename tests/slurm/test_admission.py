"""Bad resources are refused before anything is submitted, in Slurm's own words; and what doctor says of a site."""

import contextlib
import json
import re
import subprocess

import pytest
import yaml

from hominis.cli.admit import admit
from hominis.config.run import load
from hominis.errors import ConfigError
from tests.slurm.configuration import ACCOUNT, BOOSTER
from tests.workflow import tiny
from tests.workflow.conftest import corpora  # noqa: F401

GIVEN = {"slurm_account": ACCOUNT, "slurm_partition": BOOSTER, "runtime": 10, "mem_mb": 1000}
PROFILE = yaml.safe_load((tiny.ROOT / "profiles/ci-slurm/config.yaml").read_text())


@pytest.fixture
def start(corpora, cluster, tmp_path):  # noqa: F811
    """Return ``start(stage={name: value})``: a run through the profile, with some stages' resources changed."""

    def go(default=None, **changes):
        defaults = PROFILE["default-resources"] | (default or {})
        options = ["--default-resources", *(f"{name}={value}" for name, value in defaults.items())]
        options += ["--set-resources"]
        for stage, more in {**PROFILE["set-resources"], **changes}.items():
            named = PROFILE["set-resources"].get(stage, {}) | more
            options += [f"{stage}:{name}={value}" for name, value in named.items()]
        run = tiny.Run(tmp_path, tiny.settings(corpora), cluster.environment, profile="ci-slurm")
        return subprocess.run(
            run.command(*options), cwd=run.folder, capture_output=True, text=True, env=run.environment()
        )

    return go


@pytest.fixture
def run(corpora, cluster, monkeypatch):  # noqa: F811
    """A run on the cluster, for this process to ask about."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    return load(tiny.settings(corpora) | {"backend": "slurm"})


@contextlib.contextmanager
def out_of_service(cluster):
    for node in cluster.shape.booster:
        cluster.node_down(node)
    try:
        yield
    finally:
        for node in cluster.shape.booster:
            cluster.node_up(node)


def submitted(cluster):
    """How many jobs the controller took: sacct tells of earlier tests' jobs late, this count doesn't."""
    return re.search(r"Jobs submitted:\s*(\d+)", cluster.command("sdiag").stdout)[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slurm_partition": "nonsense"}, "Invalid partition name"),
        ({"slurm_account": "nobody"}, "Invalid account"),
        ({"runtime": 2000}, "time limit is invalid"),
        ({"qos": "boost_qos_dbg", "nodes": 3, "tasks": 3}, "QOSMaxNodePerJobLimit"),
        ({"qos": "boost_qos_dbg", "runtime": 60}, "QOSMaxWallDurationPerJobLimit"),
        ({"qos": "nonsense"}, "Invalid qos"),
        ({"mem_mb": 600_000}, "node configuration is not available"),
        ({"cpus_per_task": 64}, "node configuration is not available"),
        ({"gres": "gpu:9"}, "node configuration is not available"),
        ({"constraint": "nonsense"}, "Invalid feature"),
        ({"nodes": 2, "tasks": 3}, "can't be spread evenly"),
        ({"slurm_extra": "--nonsense=1"}, "unrecognized option"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_slurm_would_refuse_is_told_in_its_words_and_not_submitted(cluster, run, changes, words):
    before = submitted(cluster)
    with pytest.raises(ConfigError) as refused:
        admit(run, {"fetch": GIVEN, "score": GIVEN | changes})
    said = str(refused.value)
    assert words in said and "  score: " in said and "remedy: " in said and "fetch" not in said
    assert all(f"{name}={value}" in said for name, value in changes.items())
    assert submitted(cluster) == before


def test_nodes_out_of_service_are_no_reason_to_refuse(cluster, run):
    with out_of_service(cluster):
        tried = cluster.command("sbatch", "--test-only", "-A", ACCOUNT, "-p", BOOSTER, "--wrap", "true")
        assert "node configuration is not available" in tried.stderr
        admit(run, {"score": GIVEN})


def test_jobs_under_way_are_attached_to_whatever_new_ones_are_told(cluster, run, capsys):
    job = cluster.sbatch("sleep 60", "--job-name=hominis-fetch-0123")
    admit(run, {"fetch": GIVEN | {"slurm_account": "nobody"}})
    cluster.cancel(job)
    assert "Slurm would refuse new jobs\n  fetch: " in capsys.readouterr().err


def test_a_controller_that_does_not_answer_is_no_refusal(cluster, run, capsys):
    cluster.stop_controller()
    try:
        admit(run, {"fetch": GIVEN})
    finally:
        cluster.start_controller()
    assert "Slurm gives no answer" in capsys.readouterr().err


def test_all_refusals_are_told_at_once(start):
    done = start(fetch={"runtime": 300}, pretrain={"gres": "gpu:9"}, score={"slurm_partition": "nonsense"})
    said = done.stdout + done.stderr
    assert all(f"  {stage}: " in said for stage in ("fetch", "pretrain", "score"))


def test_a_missing_account_is_one_error(start, cluster):
    before = submitted(cluster)
    done = start(default={"slurm_account": "$HOMINIS_NOT_SET"})
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("has no slurm_account") == 1
    assert submitted(cluster) == before


def test_doctor_finds_this_slurm_ready(cluster, tmp_path):
    run = tiny.Run(tmp_path, {}, cluster.environment | {"HOMINIS_ACCOUNT": "hominis_test"})
    command = ["python", "-m", "hominis", "doctor", "--slurm", "--json", "--site", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=run.environment())
    found = [finding for finding in json.loads(done.stdout) if finding["good"] is not True]
    assert {finding["what"] for finding in found} <= {"shared store", "bubblewrap", "git", "cores", "memory"}
    assert "boost_usr_prod: 4 nodes" in done.stdout and "agrees" in done.stdout


def test_doctor_names_accounts_if_it_is_given_another(cluster, tmp_path):
    run = tiny.Run(tmp_path, {}, cluster.environment | {"HOMINIS_ACCOUNT": "nobody"})
    command = ["python", "-m", "hominis", "doctor", "--slurm", "--site", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=run.environment())
    assert done.returncode == 1 and "hominis_test" in done.stdout
