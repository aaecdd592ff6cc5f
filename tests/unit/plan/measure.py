"""A rank that builds real models of one layout, takes a step with each and says how many bytes their parts have.

``python -m tests.unit.plan.measure '[settings, ...]' out.json``
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hominis.config.train import PretrainSection
from hominis.train.process import distributed

VOCABULARY = 1000


def main() -> None:
    sections = [PretrainSection.model_validate(settings) for settings in json.loads(sys.argv[1])]
    with distributed(sections[0].layout, 1, 0):
        measured = [_measured(section) for section in sections]
    if os.environ["RANK"] == "0":
        Path(sys.argv[2]).write_text(json.dumps(measured))


def _measured(section: PretrainSection) -> dict[str, int]:
    import torch
    from megatron.core.utils import get_batch_on_this_cp_rank

    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.passes import run_pass
    from hominis.train.state import State

    chunks = build_for_training(section, VOCABULARY)
    state = State(chunks, build_optimiser(section, chunks))
    weights = _distinct(weight.data for chunk in chunks for weight in chunk.parameters())
    shape = (section.micro_batch, section.model.sequence)
    tokens = torch.randint(0, VOCABULARY, shape)
    batch = {"tokens": tokens, "labels": tokens, "loss_mask": torch.ones(shape)}
    batch["position_ids"] = torch.arange(shape[1]).expand(shape)
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)  # holding it keeps its address from being reused
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        mine = get_batch_on_this_cp_rank(dict(batch))
        chunks[0](mine["tokens"], mine["position_ids"], None, labels=mine["labels"])
    run_pass(state, section, iter([batch]), shape[0] * section.layout.dp, forward_only=False)
    state.optimiser.step()
    return {
        "weights": sum(weights.values()),
        "gradients": sum(buffer.grad_data.nbytes for chunk in chunks for buffer in _buffers(chunk)),
        "optimiser": _own(_states(state.optimiser), weights),
        "activations": _own(kept.values(), weights),
    }


def _buffers(chunk: Any) -> list[Any]:
    return [*chunk.buffers, *chunk.expert_parallel_buffers]


def _states(optimiser: Any) -> list[Any]:
    """Return moments and the fp32 weights that they belong to."""
    import torch

    found = []
    for one in getattr(optimiser, "chained_optimizers", [optimiser]):
        inner = one.optimizer
        found += [weight.data for group in inner.param_groups for weight in group["params"]]
        moments = [value for state in inner.state.values() for value in state.values()]
        found += [value for value in moments if torch.is_tensor(value) and value.dim()]
    return found


def _distinct(tensors: Iterable[Any]) -> dict[int, int]:
    return {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}


def _own(tensors: Iterable[Any], weights: dict[int, int]) -> int:
    """Return the bytes of tensors that aren't the weights' (in fp32 the optimiser works on those themselves)."""
    return sum(size for at, size in _distinct(tensors).items() if at not in weights)


if __name__ == "__main__":
    main()
