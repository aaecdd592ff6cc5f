"""What the profiles make of the rules: what each stage's job asks for, and that changing it reruns nothing."""

import re
import shlex
import subprocess
from itertools import pairwise

import pytest

from hominis.config.run import load
from hominis.config.slurm import Resources
from hominis.stages import of
from tests.workflow import tiny

UNTIL = ["--until", "annotate"]


def dry(run, *more, **variables):
    """Return what a dry run prints, each rule's command with it."""
    command = run.command("-n", "-p", "--quiet", "host", *more)
    done = subprocess.run(command, cwd=run.folder, capture_output=True, text=True, env=run.environment() | variables)
    return done.stdout + done.stderr


def asked(text):
    """Return stage → the resources that its verb is given."""
    found = {}
    for line in re.findall(r"hominis (\w+ --jobs .*?) 2>&1", text):
        stage, *options = shlex.split(line)
        pairs = [value.split("=", 1) for option, value in pairwise(options) if option == "--resource"]
        found[stage] = Resources.model_validate_strings(dict(pairs))
    return found


def todo(text):
    """Return the stages that a dry run would run."""
    assert "Job stats:" in text, text
    return set(re.findall(r"^(\w+) +\d+$", text, re.M)) - {"total"}


@pytest.fixture
def leonardo(corpora, tmp_path):
    settings = tiny.settings(corpora)
    settings["pretrain"]["model"] |= {"layers": 4, "heads": 4, "kv_heads": 4}
    settings["pretrain"]["layout"] = {"tp": 4, "pp": 2}
    return tiny.Run(tmp_path, settings, profile="leonardo")


def test_leonardo_asks_for_what_the_booster_has(leonardo):
    jobs = asked(dry(leonardo, WORK=str(leonardo.folder), HOMINIS_ACCOUNT="IscrB_us"))
    assert set(jobs) == set(of(load(leonardo.settings)))
    assert {job.slurm_account for job in jobs.values()} == {"IscrB_us"}
    serial = {name: job for name, job in jobs.items() if job.slurm_partition == "lrd_all_serial"}
    assert set(serial) == {"fetch", "questions"}
    assert {job.slurm_partition for name, job in jobs.items() if name not in serial} == {"boost_usr_prod"}
    assert all(job.runtime <= 240 and job.mem_mb <= 30_800 and not job.qos for job in serial.values())
    train = jobs["pretrain"]
    assert (train.nodes, train.tasks, train.gres, train.mem_mb) == (2, 8, "gpu:4", 494_000)
    assert train.tasks * train.cpus_per_task == train.nodes * 32
    assert all(job.runtime <= 1440 and job.mem_mb <= 494_000 and job.cpus_per_task <= 32 for job in jobs.values())


def test_leonardo_without_work_is_one_clear_error(leonardo):
    said = dry(leonardo, WORK="")
    assert "site.root: $WORK is not set" in said and "Traceback" not in said


def test_the_pretend_cluster_trains_on_two_nodes(corpora, tmp_path):
    job = asked(dry(tiny.Run(tmp_path, tiny.settings(corpora), profile="ci-slurm")))["pretrain"]
    assert (job.nodes, job.tasks) == (2, 4)


def test_the_local_profile_asks_for_nothing(corpora, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    text = dry(run)
    assert all(f"hominis {stage} --jobs" in text for stage in of(load(run.settings)))
    assert "--resource" not in text


def test_a_decay_is_a_stage_of_a_run_that_has_one_and_trains_on_as_many_nodes(leonardo):
    variables = {"WORK": str(leonardo.folder), "HOMINIS_ACCOUNT": "IscrB_us"}
    assert "decay" not in asked(dry(leonardo, **variables))
    decay = {"decay": {"from_step": 200, "steps": 20}}
    leonardo.write(leonardo.settings | decay | {"pretrain": leonardo.settings["pretrain"] | {"keep_every": 100}})
    jobs = asked(dry(leonardo, **variables))
    assert jobs["decay"] == jobs["pretrain"]


def test_weights_to_start_from_are_a_stage_of_a_run_that_has_some(corpora, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    assert "adopt" not in todo(dry(run))
    run.write(run.settings | {"adopt": {"folder": str(tmp_path / "model")}})
    assert "adopt" in todo(dry(run))


def test_other_resources_cores_and_places_rerun_nothing(corpora, tmp_path):
    run = tiny.Run(tmp_path, tiny.settings(corpora))
    run.finish(*UNTIL)
    other = ["--set-resources", "annotate:mem_mb=9", "annotate:runtime=9"]
    slurm = tiny.Run(tmp_path, run.settings, profile="ci-slurm")
    for text in (dry(run, *UNTIL, "--cores", "1"), dry(run, *UNTIL, *other), dry(slurm, *UNTIL)):
        assert todo(text) == set()
    changed = run.settings | {"annotate": {"shingle_words": 4}}
    assert todo(dry(tiny.Run(tmp_path, changed, profile="ci-slurm"), *UNTIL)) == {"annotate"}
