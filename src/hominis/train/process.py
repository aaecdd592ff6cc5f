"""What the processes of this room have in common: their distributed group and how they say why they failed."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hominis.config.train import LayoutSection
from hominis.errors import HominisError, InputError, Interrupted
from hominis.train import laps, stop
from hominis.train.children import RENDEZVOUS
from hominis.train.ranks import FAILURE

FAILED_CODE = 1
GLOO = "/gloo/"
"""In the words of gloo's errors, which are plain RuntimeErrors: where in its sources they arose."""


def guarded(work: Callable[[], int]) -> int:
    """Return the exit code of ``work``; leave the error that ended it where the launcher looks for it."""
    try:
        return work()
    except HominisError as error:
        resume = isinstance(error, Interrupted)
        _leave(problem=error.problem, where=error.where, remedy=error.remedy, resume=resume)
        return stop.RESUME_CODE if resume else FAILED_CODE
    except Exception:
        traceback.print_exc()
        who = f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
        _leave(problem=f"{who} failed unexpectedly: {traceback.format_exc()}", resume=False)
        return FAILED_CODE


def _leave(**words: object) -> None:
    """Leave the error unless another rank has: what ends a second rank may be that the first is gone."""
    failure = Path(os.environ[FAILURE])
    aside = failure.with_suffix(f".{os.environ['RANK']}")
    aside.write_text(json.dumps(words))
    with suppress(FileExistsError):
        os.link(aside, failure)
    aside.unlink()


@contextmanager
def distributed(layout: LayoutSection, threads: int, seed: int) -> Iterator[None]:
    """Join the other ranks: NCCL with a GPU for each, else gloo on the CPU, and megatron's groups for ``layout``.

    Raises:
        Interrupted: the ranks don't find, or have lost, each other: to be tried again.
    """
    import torch

    from hominis.train import cpu

    torch.set_num_threads(threads)
    cpu.enable()
    from megatron.core import parallel_state, tensor_parallel

    cuda = torch.cuda.is_available()
    if cuda:
        _take_gpu(int(os.environ["LOCAL_RANK"]))
    laps.mark(laps.IMPORTS)
    with _in_touch():
        torch.distributed.init_process_group(
            "nccl" if cuda else "gloo",
            init_method=os.environ.get(RENDEZVOUS, "env://"),
            rank=int(os.environ["RANK"]),
            world_size=int(os.environ["WORLD_SIZE"]),
        )
        parallel_state.initialize_model_parallel(
            tensor_model_parallel_size=layout.tp,
            pipeline_model_parallel_size=layout.pp,
            virtual_pipeline_model_parallel_size=layout.vp if layout.vp > 1 else None,
            context_parallel_size=layout.cp,
            expert_model_parallel_size=layout.ep,
            create_gloo_process_groups=cuda,
        )
        tensor_parallel.model_parallel_cuda_manual_seed(seed)
        laps.mark(laps.GROUP)
        yield
        parallel_state.destroy_model_parallel()
        torch.distributed.destroy_process_group()


@contextmanager
def _in_touch() -> Iterator[None]:
    """Tell trouble between the ranks (a node or the network lost, the port to meet at taken) from their own faults."""
    import torch

    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.distributed.DistError) and GLOO not in str(error):
            raise
        traceback.print_exc()
        raise Interrupted(
            f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']} has no contact to the others: {error}",
            remedy="start it again: it goes on from the newest checkpoint",
        ) from error


def _take_gpu(local_rank: int) -> None:
    import torch

    count = torch.cuda.device_count()
    if local_rank >= count:
        raise InputError(
            f"rank {local_rank} of this node has no GPU: there are {count}",
            where="pretrain.layout",
            remedy="start as many ranks a node as it has GPUs",
        )
    torch.cuda.set_device(local_rank)
