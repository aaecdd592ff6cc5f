"""What doctor says of machines, file systems and sites that aren't this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hominis.cli.slurm_checks import clock, shared, version

ROOT = Path(__file__).parents[3]


def doctor(*what, **variables):
    command = [sys.executable, "-m", "hominis", "doctor", "--json", *map(str, what)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | variables)
    assert "Traceback" not in done.stderr
    return done.returncode, {finding["what"]: finding for finding in json.loads(done.stdout)}


def test_commands_that_are_not_there_are_named_if_slurm_is_wanted(tmp_path):
    code, found = doctor("--site", tmp_path, "--slurm", PATH=str(tmp_path))
    assert code == 1
    assert found["Slurm's commands"]["good"] is False
    assert all(name in found["Slurm's commands"]["found"] for name in ("sbatch", "squeue", "sacct", "scontrol"))


def test_without_slurm_nobody_asks_for_it(tmp_path):
    assert "Slurm's commands" not in doctor("--site", tmp_path, PATH=str(tmp_path))[1]


def test_a_run_says_its_site_and_whether_it_uses_slurm(tmp_path):
    run = yaml.safe_load((ROOT / "workflow/config/quickstart.yaml").read_text())
    run |= {"backend": "slurm", "site": {"root": "$HERE/deep/site"}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run))
    _, found = doctor("--config", tmp_path / "run.yaml", PATH=str(tmp_path), HERE=str(tmp_path))
    assert str(tmp_path) in found["disk"]["found"]
    assert "Slurm's commands" in found


@pytest.fixture
def small(tmp_path):
    """A file system of 100 kB of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", folder], capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_found_by_writing_to_it(small):
    code, found = doctor("--site", small)
    assert code == 1
    assert "No space left" in found["file system"]["found"] and "quota" in found["file system"]["remedy"]
    assert found["disk"]["good"] is False
    assert list(small.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_found(small):
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    code, found = doctor("--site", small)
    assert code == 1
    assert "Read-only" in found["file system"]["found"] and "that you can write" in found["file system"]["remedy"]


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        ("slurm-wlm 22.05.8", True),
        ("slurm 23.02.7", True),
        ("slurm 24.11.0-0rc1", True),
        ("slurm 21.08.8-2", False),
        ("", False),
        ("bash: sbatch: no", False),
    ],
)
def test_an_old_slurm_is_refused_with_its_version(answer, good):
    found = version(answer, "/opt/slurm/bin/sbatch")
    assert found.good is good
    assert answer in found.found and "/opt/slurm/bin/sbatch" in found.found


@pytest.mark.parametrize(
    ("theirs", "good", "said"),
    [
        (1000, True, "agrees"),
        (1001, True, "agrees"),
        (998, True, "1 s behind"),
        (940, None, "59 s behind"),
        (1090, None, "89 s ahead"),
    ],
)
def test_clocks_may_differ_by_what_asking_takes_and_a_little_more(theirs, good, said):
    found = clock(theirs, 1000.2, 1001.3)
    assert found.good is good and said in found.found


MOUNTS = """\
rootfs / ext4 rw,relatime 0 0
10.0.0.1@o2ib:/work /work lustre rw,nosuid,flock,lazystatfs 0 0
10.0.0.1@o2ib:/fast /fast lustre rw,nosuid,lazystatfs 0 0
10.0.0.1@o2ib:/scratch /scratch lustre rw,localflock,lazystatfs 0 0
nas:/home /home nfs4 rw,vers=4.2,hard,local_lock=none 0 0
nas:/old /old nfs rw,vers=3,nolock,local_lock=all 0 0
gpfs0 /gpfs\\040fs gpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "good", "said"),
    [
        ("/work/us/site", True, "lustre"),
        ("/fast/us/site", False, "no locks"),
        ("/scratch/us", None, "local locks"),
        ("/home/me", True, "nfs4"),
        ("/old/me", None, "not seen by other hosts"),
        ("/gpfs fs/me", True, "gpfs"),
        ("/workshop", None, "belongs to this host"),
    ],
)
def test_how_the_store_is_mounted_says_whether_hosts_can_share_it(place, good, said):
    found = shared(Path(place), MOUNTS)
    assert found.good is good and said in found.found
