"""Settings that can't be meant are refused with the values that clash."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hominis.config.train import PretrainSection
from tests.unit.train.conftest import section

MODEL = {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": {**MODEL, "hidden": 30}}, "hidden 30 is not divisible by heads 4"),
    ({"model": {**MODEL, "kv_heads": 3}}, "heads 4 is not divisible by kv_heads 3"),
    ({"model": {**MODEL, "hidden": 36}}, "even head width"),
    ({"model": {**MODEL, "heads": 0}}, "greater than 0"),
    ({"model": {**MODEL, "width": 3}}, "Extra inputs"),
    ({"layout": {"tp": 8}}, "model.heads 4 is not divisible by layout.tp 8"),
    ({"layout": {"tp": 4}}, "model.kv_heads 2 is not divisible by layout.tp 4"),
    ({"model": {**MODEL, "ffn": 65}, "layout": {"tp": 2}}, "model.ffn 65 is not divisible by layout.tp 2"),
    ({"layout": {"pp": 4}}, "model.layers 2 is not divisible by layout.pp · layout.vp 4"),
    ({"layout": {"dp": 3}}, "global_batch 8 is not divisible by micro_batch · layout.dp 6"),
    ({"layout": {"sequence_parallel": True}}, "sequence_parallel needs tp > 1"),
    ({"model": {**MODEL, "sequence": 33}, "layout": {"tp": 2, "sequence_parallel": True}}, "model.sequence 33"),
    ({"layout": {"tp": -1}}, "greater than 0"),
    ({"validation_samples": 9}, "validation_samples 9 is not divisible by global_batch 8"),
    ({"steps": 0}, "greater than 0"),
    ({"steps": 2}, "warmup_steps 2 leaves none of 2 steps"),
    ({"steps": 5}, "warmup_steps 2 \\+ decay_steps 4 are more than steps 5"),
    ({"schedule": {"min_learning_rate": 1.0}}, "min_learning_rate 1.0 is above learning_rate 0.003"),
    ({"blend": {"web": 0.5, "code": 0.4}}, "add up to 0.9, not to 1"),
    ({"blend": {"web": 1.5, "code": -0.5}}, "not negative: {'code': -0.5}"),
    ({"blend": {"web": float("nan")}}, "finite number"),
    ({"blend": {}}, "add up to 0"),
    ({"precision": "fp4"}, "'fp32', 'bf16' or 'fp8'"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_setting_that_cannot_be_meant_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        section(**changes)


def test_shares_may_miss_one_by_rounding() -> None:
    thirds = {"web": 0.3333333, "code": 0.3333333, "arxiv": 0.3333334}
    assert section(blend=thirds).blend == thirds


def test_how_often_a_checkpoint_is_written_is_not_in_the_key() -> None:
    often, seldom = section(checkpoint_every=1, keep_checkpoints=5), section(checkpoint_every=9)
    assert often.keyed() == seldom.keyed()
    assert section(seed=1).keyed() != section(seed=2).keyed()


def test_a_run_keeps_its_key_and_so_its_checkpoints_when_it_is_split_otherwise() -> None:
    elsewhere = section(layout={"dp": 2, "distributed_optimizer": True}, micro_batch=1, recompute="full", threads=4)
    assert elsewhere.keyed() == section().keyed()


def test_settings_survive_json() -> None:
    settings = section(layout={"tp": 2}, precision="bf16")
    assert PretrainSection.model_validate_json(settings.model_dump_json()) == settings
