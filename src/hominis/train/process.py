"""What the processes of this room have in common: their distributed group and how they say why they failed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hominis.config.train import LayoutSection
from hominis.errors import HominisError, InputError
from hominis.train.launch import FAILURE, RENDEZVOUS

FAILED_CODE = 1


def guarded(work: Callable[[], int]) -> int:
    """Return the exit code of ``work``; leave an expected error where the launcher looks for it."""
    try:
        return work()
    except HominisError as error:
        words = {"problem": error.problem, "where": error.where, "remedy": error.remedy}
        target = Path(os.environ[FAILURE])
        aside = target.with_suffix(f".{os.environ['RANK']}")
        aside.write_text(json.dumps(words))
        aside.replace(target)
        return FAILED_CODE


@contextmanager
def distributed(layout: LayoutSection, threads: int, seed: int) -> Iterator[None]:
    """Join the other ranks: NCCL with a GPU for each, else gloo on the CPU, and megatron's groups for ``layout``."""
    import torch

    from hominis.train import cpu

    torch.set_num_threads(threads)
    cpu.enable()
    from megatron.core import parallel_state, tensor_parallel

    cuda = torch.cuda.is_available()
    if cuda:
        _take_gpu(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=os.environ.get(RENDEZVOUS, "env://"),
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )
    parallel_state.initialize_model_parallel(
        tensor_model_parallel_size=layout.tp,
        pipeline_model_parallel_size=layout.pp,
        create_gloo_process_groups=cuda,
    )
    tensor_parallel.model_parallel_cuda_manual_seed(seed)
    yield
    parallel_state.destroy_model_parallel()
    torch.distributed.destroy_process_group()


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
