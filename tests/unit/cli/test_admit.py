"""What is refused before Slurm is asked."""

from pathlib import Path

import pytest
import yaml

from hominis.cli.admit import admit
from hominis.config.run import load
from hominis.errors import ConfigError

ROOT = Path(__file__).parents[3]
GIVEN = {"slurm_account": "us", "slurm_partition": "boost_usr_prod", "runtime": 60}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "/nonexistent")
    return load(yaml.safe_load((ROOT / "workflow/config/quickstart.yaml").read_text()) | {"backend": "slurm"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slurm_account": "$HOMINIS_ACCOUNT"}, "select has no slurm_account"),
        ({"slurm_account": ""}, "select has no slurm_account"),
        ({"runtime": "long"}, "select: runtime=long"),
        ({"nodes": 0}, "select: nodes=0"),
        ({"runtime": 3}, "runtime of 3 min is not longer than slurm.warn_s, 180 s"),
    ],
)
def test_resources_that_cannot_be_meant_are_refused_without_slurm(run, changes, said):
    with pytest.raises(ConfigError) as refused:
        admit(run, {"select": GIVEN | changes})
    assert said in str(refused.value) and "profile" in str(refused.value)


def test_a_missing_account_comes_with_how_to_set_it(run):
    with pytest.raises(ConfigError, match="export HOMINIS_ACCOUNT"):
        admit(run, {"select": GIVEN | {"slurm_account": "$HOMINIS_ACCOUNT"}})


def test_a_profile_for_slurm_whose_backend_was_lost_runs_nothing_here(run):
    with pytest.raises(ConfigError, match="backend is local"):
        admit(run.model_copy(update={"backend": "local"}), {"select": GIVEN})


def test_the_local_profile_is_admitted(run):
    admit(run.model_copy(update={"backend": "local"}), {"select": {"mem_mb": 8000}})
