"""What a run writes into its artefact about itself."""

from __future__ import annotations

import json

from tests.unit.train.conftest import Run


def test_who_computed_the_layers_in_what_precision_and_layout_is_recorded(one_rank: Run, two_ranks: Run) -> None:
    described = json.loads((one_rank.folder.out / "model.json").read_text())
    assert described["kernels"] == one_rank.summary["kernels"] == "torch"
    assert one_rank.summary["precision"] == "fp32"
    assert two_ranks.summary["layout"] == {"tp": 2, "pp": 1, "vp": 1, "cp": 1, "ep": 1, "dp": 1}


def test_nothing_of_the_day_is_in_the_artefact(one_rank: Run) -> None:
    told = [json.loads(line) for line in (one_rank.folder.out / "metrics.jsonl").read_text().splitlines()]
    day = {"time", "seconds", "tokens_per_s", "tflops_per_gpu", "mfu", "memory_bytes", "energy_j"}
    assert not day & {name for line in told for name in line}
    assert not day & one_rank.summary.keys()
