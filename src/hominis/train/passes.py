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
        sums = run_pass(state, section, batches, section.validation_samples, forward_only=True)
    for chunk in state.chunks:
        chunk.train()
    dist.all_reduce(sums)
    return float(sums[0] / sums[1])


def run_pass(
    state: State, section: PretrainSection, batches: Iterator[Batch], sequences: int, *, forward_only: bool
) -> torch.Tensor:
    """Run the micro-batches of ``sequences`` sequences through the model, each piece of an interleaved one all of them.

    Returns:
        ``[2]``, double: the sum of the loss (nats) and the tokens that it is over, of this rank; both are 0 on all but
        the last pipeline stage. The quotient of their sums over all ranks is the mean by token: every tensor-parallel
        rank of the last stage holds the same, which cancels.
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
    return torch.stack(outcomes).sum(0) if parallel_state.is_pipeline_last_stage() else no_loss()


def no_loss() -> torch.Tensor:
    """Return what a pass gives on a rank that sees no loss."""
    return torch.zeros(2, dtype=torch.float64, device="cuda" if torch.cuda.is_available() else "cpu")


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
