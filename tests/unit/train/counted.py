"""A rank that has torch count the operations of forward and backward passes: ``python -m tests.unit.train.counted``.

Arguments: a file with settings of runs by name, and a file for the operations that one sequence takes, by name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hominis.config.train import PretrainSection
from hominis.train import lifeline
from hominis.train.process import distributed, guarded
from tests.unit.train.conftest import VOCABULARY


def count(settings: PretrainSection) -> int:
    """Return the operations that torch saw, a multiply-add as two."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from hominis.train.model import build_for_training

    (model,) = build_for_training(settings, VOCABULARY)
    tokens = torch.arange(settings.model.sequence)[None]
    with FlopCounterMode(display=False) as counter:
        model(tokens, tokens, None, labels=tokens).sum().backward()
    return int(counter.get_total_flops())


def main(runs: str, result: str) -> int:
    settings = {name: PretrainSection.model_validate(run) for name, run in json.loads(Path(runs).read_text()).items()}
    first = next(iter(settings.values()))
    with distributed(first.layout, 1, first.seed):
        Path(result).write_text(json.dumps({name: count(run) for name, run in settings.items()}))
    return 0


if __name__ == "__main__":
    lifeline.hold_on()
    sys.exit(guarded(lambda: main(sys.argv[1], sys.argv[2])))
