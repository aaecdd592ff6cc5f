"""The presets of models: each has about the parameters that its name says, and a path stands for its settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hominis.config.model import ModelSection
from hominis.errors import ConfigError
from hominis.train.figures import parameters
from tests.unit.train.conftest import section

FOLDER = Path(__file__).parents[3] / "workflow" / "config" / "models"
PRESETS = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
UNITS = {"m": 1e6, "b": 1e9}


def test_presets_reach_from_5_million_to_15_billion() -> None:
    assert {"5m", "125m", "350m", "1b", "3b", "7b", "13b", "15b"} <= PRESETS.keys()
    assert any(name.startswith("moe-") for name in PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_about_the_parameters_of_its_name(name: str) -> None:
    found = re.fullmatch(r"(moe-)?(\d+)([mb])", name)
    assert found
    model, wanted = section(model=str(PRESETS[name])).model, int(found[2]) * UNITS[found[3]]
    vocabulary = 8192 if wanted < 1e8 else 32000
    assert parameters(model, vocabulary) == pytest.approx(wanted, rel=0.05)
    assert bool(model.experts) == bool(found[1])


def test_the_preset_of_13_billion_is_llama_2_13b() -> None:
    model = section(model=str(PRESETS["13b"])).model
    assert model == ModelSection(layers=40, hidden=5120, heads=40, kv_heads=40, ffn=13824, sequence=4096)
    assert parameters(model, 32000) == 13_015_864_320


def test_a_preset_gives_the_key_of_its_settings() -> None:
    named = section(model=str(PRESETS["5m"]))
    assert named.keyed() == section(model=named.model.model_dump()).keyed()


def test_a_preset_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the model") as raised:
        section(model=str(tmp_path / "12b.yaml"))
    assert "13b.yaml" in raised.value.remedy


def test_a_wrong_setting_in_a_preset_is_named_with_the_file(tmp_path: Path) -> None:
    preset = tmp_path / "odd.yaml"
    preset.write_text("layers: 0\n")
    with pytest.raises(ConfigError, match="greater than 0") as raised:
        section(model=str(preset))
    assert raised.value.where == f"{preset}, layers"
