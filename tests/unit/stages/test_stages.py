"""The table of contents: a run has the stages that it has settings for, and what was made from others is stale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hominis.cli import cli
from hominis.cli.admit import admit
from hominis.cli.foresee import check_weights, foresee
from hominis.cli.stage import do
from hominis.config.run import RunConfig, load
from hominis.errors import ConfigError, InputError
from hominis.stages import STAGES, of, standing
from hominis.store import files, receipts, whole
from hominis.store.site import Site
from hominis.train import llama

FACTOR = {"value": 0.3, "low": 0.2, "high": 0.4, "source": "a test"}
DECAY = {"from_step": 80, "steps": 10}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "text.jsonl").write_text('{"text": "a"}\n')
    row = {"name": "a", "corpus": "web", "kind": "file", "locator": str(tmp_path / "text.jsonl"), "file": "text.jsonl"}
    more = {"revision": "", "sha256": files.digest("x"), "bytes": 1, "licence": "MIT"}
    return {
        "run": "r",
        "site": {"root": str(tmp_path / "site"), "results": str(tmp_path / "results")},
        "fetch": {"sources": [row | more]},
        "select": {"policies": {"web": {"rules": []}}},
        "pretrain": {"blend": {"web": 1.0}, "steps": 100, "keep_every": 40, "schedule": {"decay_steps": 10}},
        "account": {"intensity_kg_per_kwh": FACTOR, "pue": {**FACTOR, "value": 1.0, "low": 1.0, "high": 1.2}},
    }


def inputs(run: RunConfig) -> dict[str, tuple[str, ...]]:
    return {name: stage.inputs for name, stage in of(run).items()}


def test_a_run_without_adopt_and_decay_has_neither_stage_nor_input_of_that_name(settings: dict[str, Any]) -> None:
    found = inputs(load(settings))
    assert set(STAGES) - set(found) == {"adopt", "decay"}
    assert found["pretrain"] == ("tokenise", "vocabulary")
    assert found["export"] == ("pretrain", "vocabulary")


def test_a_run_with_both_has_every_stage(settings: dict[str, Any], tmp_path: Path) -> None:
    found = inputs(load(settings | {"adopt": {"folder": str(tmp_path)}, "decay": DECAY}))
    assert found == {name: stage.inputs for name, stage in STAGES.items()}
    assert "adopt" in found["pretrain"] and "decay" in found["export"]


def test_every_input_of_a_stage_stands_before_it(settings: dict[str, Any]) -> None:
    for made in (STAGES, of(load(settings))):
        order = list(made)
        assert all(order.index(up) < order.index(name) for name, stage in made.items() for up in stage.inputs)


def test_a_stage_that_the_run_has_not_is_one_clear_error(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the run r has no stage decay: its section is null") as error:
        do(load(settings), "decay", 1)
    assert "give the run a section `decay`" in error.value.remedy
    assert CliRunner().invoke(cli, ["decay", "--help"]).exit_code == 0


def test_an_export_of_pretrain_is_stale_once_the_run_has_a_decay(settings: dict[str, Any]) -> None:
    plain = load(settings)
    made = whole.conclude(
        Site.at(plain.site.root), STAGES["export"], plain.export, {}, {"pretrain": ["a"], "vocabulary": ["b"]}
    )
    files.replace(plain.receipts / "export.json", receipts.to_text(made))
    branched = load(settings | {"decay": DECAY})
    (before,), (after,) = (list(standing.standing(run, Site.at(run.site.root))) for run in (plain, branched))
    assert before.problem == ""
    assert after.problem == "made from pretrain, vocabulary, to be made from decay, pretrain, vocabulary"
    assert standing.withdraw_stale(branched) and not (plain.receipts / "export.json").exists()


def test_weights_of_another_model_are_refused_before_anything_starts(settings: dict[str, Any], tmp_path: Path) -> None:
    shape = load(settings).pretrain.model
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text(json.dumps(llama.to_config(shape) | {"vocab_size": 300}))
    check_weights(load(settings | {"adopt": {"folder": str(tmp_path)}}))
    deeper = settings["pretrain"] | {"model": {"layers": shape.layers + 1}}
    run = load(settings | {"adopt": {"folder": str(tmp_path)}, "pretrain": deeper})
    for ask in (lambda: admit(run, {"adopt": {}}), lambda: foresee(run)):
        with pytest.raises(InputError, match=f"layers {shape.layers}, pretrain.model has {shape.layers + 1}"):
            ask()
