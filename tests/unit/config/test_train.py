"""Numbers that clash are named with the nearest that don't."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hominis.config.train import PretrainSection

LLAMA_13B = {"layers": 40, "hidden": 5120, "heads": 40, "kv_heads": 40, "ffn": 13824, "sequence": 4096}
EXPERTS = {**LLAMA_13B, "experts": 12}
CLASHES: list[tuple[dict[str, Any], str]] = [
    ({"layout": {"tp": 3}}, "model.heads 40 is not divisible by layout.tp 3; valid: layout.tp 2 or 4"),
    ({"layout": {"tp": 5}}, "model.ffn 13824 is not divisible by layout.tp 5; valid: layout.tp 4 or 8"),
    ({"layout": {"tp": 16}}, "model.heads 40 is not divisible by layout.tp 16; valid: layout.tp 8"),
    ({"layout": {"pp": 3, "vp": 3}}, "by layout.pp · layout.vp 9; valid: layout.pp · layout.vp 8 or 10"),
    ({"layout": {"dp": 3}}, "by micro_batch · layout.dp 12; valid: global_batch 12 or 24"),
    ({"layout": {"pp": 5, "vp": 2}}, "by micro_batch · layout.dp · layout.pp 20; valid: global_batch 20"),
    (
        {"layout": {"cp": 3}},
        "model.sequence 4096 is not divisible by 2 · layout.cp 6; valid: model.sequence 4092 or 4098",
    ),
    ({"model": EXPERTS, "layout": {"ep": 8, "dp": 8}, "global_batch": 64}, "by layout.ep 8; valid: layout.ep 4"),
    ({"layout": {"ep": 2, "dp": 2}}, "model.experts is 0; valid: layout.ep 1"),
    ({"validation_samples": 20}, "by global_batch 16; valid: validation_samples 16 or 32"),
    (
        {"batch_ramp": {"start": 4, "increment": 8, "steps": 9}},
        "global_batch - batch_ramp.start 12 is not divisible by increment 8; valid: increment 4 or 12",
    ),
    ({"batch_ramp": {"start": 6, "increment": 4, "steps": 9}}, "valid: batch_ramp.start 4 or 8"),
    ({"model": {**EXPERTS, "experts_per_token": 1}}, "experts_per_token 1 gives the router nothing to weigh"),
]


@pytest.mark.parametrize(("changes", "words"), CLASHES, ids=[words for _, words in CLASHES])
def test_a_clash_is_named_with_the_nearest_valid_numbers(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PretrainSection.model_validate({"model": LLAMA_13B, "blend": {"web": 1.0}, **changes})
    assert words in str(raised.value)
