"""The files that are made from the models are as the models are."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from hominis.config.defaults import default_text, schema_text
from hominis.config.run import load

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "workflow" / "config"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_the_default_configuration_is_fresh():
    assert (CONFIGS / "default.yaml").read_text() == default_text(), "run `hominis config default` again"


def test_the_schema_is_fresh():
    assert (CONFIGS / "schema.json").read_text() == schema_text(), "run `hominis config schema` again"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_each_configuration_loads_and_fits_the_schema(path):
    assert load(path).run
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(schema_text()))


@pytest.mark.parametrize("name", ["quickstart", "core-13b", "italia"])
def test_a_configuration_names_only_corpora_that_its_table_has(name):
    run = load(CONFIGS / f"{name}.yaml")
    corpora = {source.corpus for source in run.fetch.sources}
    assert set(run.pretrain.blend) == corpora
    assert set(run.select.policies) <= corpora | {source.name for source in run.fetch.sources}


def test_italia_keeps_italian_alone():
    run = load(CONFIGS / "italia.yaml")
    for source in run.fetch.sources:
        rules = run.select.policy_of(source.name, source.corpus).rules
        assert any(rule.signal == "language" and rule.among == ("it",) for rule in rules)


def test_a_written_configuration_reads_back_the_same():
    run = load(CONFIGS / "quickstart.yaml")
    assert load(run.model_dump(mode="json")) == run
