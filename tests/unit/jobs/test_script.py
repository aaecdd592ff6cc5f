"""The batch script: submitit's writer is private, so its text is held here."""

import subprocess
import sys

import pytest

from hominis.config.slurm import Resources, SlurmSection
from hominis.jobs.commands import Refused
from hominis.jobs.script import write

COMMAND = ["-m", "hominis", "part", "a task.json"]


def made(tmp_path, section=None, avoid=(), **asked):
    return write(
        section or SlurmSection(),
        Resources(**asked),
        COMMAND,
        name="hominis-x",
        tasks=7,
        output=tmp_path / "%a.log",
        avoid=avoid,
    )


def options(text):
    return {line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH")}


def test_what_was_asked_for_and_no_more(tmp_path):
    asked = {"slurm_account": "a", "slurm_partition": "p", "qos": "q", "runtime": 90, "mem_mb": 4000, "gres": "gpu:4"}
    assert options(made(tmp_path, nodes=2, tasks=8, cpus_per_task=8, constraint="c", **asked)) == {
        "--account=a",
        "--array=0-6%64",
        "--comment=hominis-x",
        "--constraint=c",
        "--cpus-per-task=8",
        "--gres=gpu:4",
        "--job-name=hominis-x",
        "--mem=4000M",
        "--no-requeue",
        "--nodes=2",
        "--ntasks-per-node=4",
        "--open-mode=append",
        f"--output={tmp_path}/%a.log",
        "--partition=p",
        "--qos=q",
        "--signal=B:USR2@180",
        "--time=90",
    }


def test_python_replaces_the_shell_so_that_signals_reach_it(tmp_path):
    last = made(tmp_path).strip().splitlines()[-1]
    assert last.startswith("exec ") and last.endswith("-m hominis part 'a task.json'")


def test_ranks_are_started_by_srun_only_if_there_are_several(tmp_path):
    assert "export HOMINIS_LAUNCH=\n" in made(tmp_path)
    assert "export HOMINIS_LAUNCH=srun\n" in made(tmp_path, tasks=2)


def test_there_is_no_network_and_the_site_has_its_say(tmp_path):
    text = made(tmp_path, SlurmSection(setup=["module load cuda"], throttle=5))
    assert "export HF_HUB_OFFLINE=1" in text
    assert text.index("module load cuda") < text.index("exec ")
    assert "--array=0-6%5" in text


def test_the_ranks_may_have_another_python_that_finds_this_code(tmp_path):
    assert "HOMINIS_PYTHON" not in made(tmp_path)
    text = made(tmp_path, SlurmSection(python="singularity exec $WORK/i.sif python"))
    assert 'export HOMINIS_PYTHON="singularity exec $WORK/i.sif python"' in text
    setup = text[text.index("# setup") : text.index("# command")]
    bare = [sys.executable, "-S", "-c", "import hominis, os; print(os.environ['HOMINIS_PYTHON'])"]  # no site-packages
    said = subprocess.run(
        ["bash", "-c", f'{setup}\n"$0" "$@"', *bare], check=True, capture_output=True, text=True, env={"WORK": "/w"}
    )
    assert said.stdout == "singularity exec /w/i.sif python\n"


def test_nodes_that_failed_are_left_out(tmp_path):
    assert "--exclude=lrdn0001,lrdn0007" in options(made(tmp_path, avoid=("lrdn0001", "lrdn0007")))


def test_further_options_are_as_on_the_command_line(tmp_path):
    found = options(made(tmp_path, slurm_extra="--reservation=r --exclusive --time=5"))
    assert {"--reservation=r", "--exclusive", "--time=5"} <= found and "--time=60" not in found
    with pytest.raises(Refused, match="-N2"):
        made(tmp_path, slurm_extra="-N2")


def test_ranks_that_do_not_spread_evenly_are_refused(tmp_path):
    with pytest.raises(Refused, match="5 tasks can't be spread evenly over 2 nodes"):
        made(tmp_path, tasks=5, nodes=2)


def test_it_is_a_shell_script(tmp_path):
    assert subprocess.run(["bash", "-n"], input=made(tmp_path), text=True, check=False).returncode == 0
