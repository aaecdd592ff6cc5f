"""Forward and backward passes over a global batch, through megatron's pipeline schedules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import tee
from typing import Any

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.pipeline_parallel import get_forward_backward_func
from megatron.core.utils import get_batch_on_this_cp_rank

from hominis.config.train import PretrainSection
from hominis.train.samples import Batch
from hominis.train.state import State


def evaluate(state: State, section: PretrainSection, batches: Iterator[Batch]) -> float:
    """Return the mean loss by token (nats) over the held-out samples; all ranks get the same."""
    for chunk in state.chunks:
        chunk.eval()
    with torch.no_grad():
        loss = run_pass(state, section, batches, section.validation_samples, forward_only=True)
    for chunk in state.chunks:
        chunk.train()
    return loss


def run_pass(
    state: State, section: PretrainSection, batches: Iterator[Batch], sequences: int, *, forward_only: bool
) -> float:
    """Run the micro-batches of ``sequences`` sequences through the model; return the mean loss by token (nats).

    Each piece of an interleaved pipeline reads all of them.
    """
    interleaved = len(state.chunks) > 1
    outcomes = get_forward_backward_func()(
        forward_step_func=_forward,
        data_iterator=list(tee(batches, len(state.chunks))) if interleaved else batches,
        model=state.chunks if interleaved else state.chunks[0],
        num_microbatches=sequences // (section.micro_batch * section.layout.dp),
        seq_length=section.model.sequence,
        micro_batch_size=section.micro_batch,
        decoder_seq_length=section.model.sequence,
        forward_only=forward_only,
    )
    return _mean_loss(outcomes)


def _forward(batches: Iterator[Batch], model: Any) -> tuple[torch.Tensor, Any]:
    batch = get_batch_on_this_cp_rank(dict(next(batches)))  # it cuts in place
    output = model(batch["tokens"], batch["position_ids"], None, labels=batch["labels"])
    return output, partial(_loss, batch["loss_mask"])


def _loss(mask: torch.Tensor, output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the sum to differentiate, the tokens to divide by, and both for the log."""
    weights = mask.reshape(-1).float()
    total = (output.reshape(-1).float() * weights).sum()
    tokens = weights.sum()
    return total, tokens.int(), torch.stack([total.detach().double(), tokens.double()])


def _mean_loss(outcomes: list[torch.Tensor]) -> float:
    """Return the loss of the last pipeline stage's micro-batches, over all ranks.

    Every tensor-parallel rank of the last stage holds the same sums: they cancel in the quotient.
    """
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    if parallel_state.is_pipeline_last_stage():
        sums += torch.stack(outcomes).sum(0)
    dist.all_reduce(sums)
    return float(sums[0] / sums[1])
