"""A run's configuration as a whole: paths with variables, and ranks on nodes."""

from pathlib import Path

import pytest
import yaml

from hominis.config.run import load
from hominis.errors import ConfigError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def quickstart(monkeypatch):
    monkeypatch.chdir(ROOT)
    return yaml.safe_load((ROOT / "workflow/config/quickstart.yaml").read_text())


@pytest.mark.parametrize("written", ["$WORK/hominis", "${WORK}/hominis"])
def test_the_site_may_name_a_variable(quickstart, monkeypatch, written):
    monkeypatch.setenv("WORK", "/projects/us")
    run = load(quickstart | {"site": {"root": written}})
    assert run.site.root == Path("/projects/us/hominis")
    assert load(run.model_dump(mode="json")) == run


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named_with_its_setting(quickstart, monkeypatch, value):
    monkeypatch.delenv("WORK", raising=False)
    if value is not None:
        monkeypatch.setenv("WORK", value)
    with pytest.raises(ConfigError, match=r"site\.root: \$WORK is not set"):
        load(quickstart | {"site": {"root": "$WORK/hominis"}})


def slurm(quickstart, tp, pp, tasks_per_node, backend="slurm"):
    model = {"layers": 12, "hidden": 192, "heads": 6, "kv_heads": 6, "ffn": 516}
    pretrain = quickstart["pretrain"] | {"model": model, "layout": {"tp": tp, "pp": pp}}
    return load(quickstart | {"backend": backend, "slurm": {"tasks_per_node": tasks_per_node}, "pretrain": pretrain})


@pytest.mark.parametrize(("tp", "pp", "nodes"), [(1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 4, 2), (2, 6, 3)])
def test_ranks_take_as_few_nodes_as_hold_them(quickstart, tp, pp, nodes):
    assert slurm(quickstart, tp, pp, 4).training_nodes == nodes


def test_ranks_that_leave_a_node_half_empty_are_refused_with_both_numbers(quickstart):
    with pytest.raises(ConfigError, match=r"6 ranks .*tasks_per_node = 4"):
        slurm(quickstart, 2, 3, 4)


def test_on_one_machine_nodes_are_no_matter(quickstart):
    assert slurm(quickstart, 2, 3, 4, backend="local").pretrain.layout.world == 6


def test_json_is_read_as_json_and_said_to_be_none_if_it_is_damaged(quickstart, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(load(quickstart).model_dump_json())
    assert load(path) == load(quickstart)
    path.write_text("run: quickstart")  # it would be YAML
    with pytest.raises(ConfigError, match="is not JSON"):
        load(path)
