"""What megatron-core needs in order to train on a CPU with gloo. Does nothing where CUDA is available.

megatron-core 0.16 speaks to ``torch.cuda`` directly in places. Each function below removes one such place and says
which. They change this whole process, so nothing but training may run in it: in particular transformers reads wrong
weights under ``tensor_factories``.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

CPU = torch.device("cpu")
SUM = dist.ReduceOp.SUM


@functools.cache
def enable() -> None:
    """Apply all patches unless CUDA is available. To be called before megatron is imported; once is enough."""
    if torch.cuda.is_available():
        return
    warnings.filterwarnings("ignore", module="megatron")
    for patch in PATCHES:
        patch()


def no_transformer_engine() -> None:
    """Hide Transformer Engine: without CUDA its package is empty and its import fails, megatron's with it."""
    sys.modules.setdefault("transformer_engine", None)  # type: ignore[arg-type]


def device_queries() -> None:
    """Answer ``current_device`` with the CPU (gradient buffers), make ``synchronize`` and ``.cuda()`` do nothing."""
    torch.cuda.current_device = lambda: CPU  # type: ignore[assignment,return-value]
    torch.cuda.synchronize = lambda *_: None
    torch.Tensor.cuda = lambda self, *_, **__: self  # type: ignore[method-assign]


def tensor_factories() -> None:
    """Make on the CPU, and unpinned, what megatron asks for with ``device="cuda"`` (optimiser, clipping) or pinned.

    Rotary positions under context parallelism are pinned.
    """
    for name in ("tensor", "zeros", "ones", "empty", "empty_like", "zeros_like"):
        setattr(torch, name, _on_cpu(getattr(torch, name)))


def _on_cpu(factory: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def made(*args: Any, **kwargs: Any) -> torch.Tensor:
        device = kwargs.get("device")
        if device is not None and torch.device(device).type == "cuda":
            kwargs["device"] = CPU
        kwargs.pop("pin_memory", None)
        return factory(*args, **kwargs)

    return made


def tensor_type() -> None:
    """Name the types as on CUDA: clipping and the optimisers compare them with ``"torch.cuda.FloatTensor"``."""
    plain = torch.Tensor.type

    def named(self: torch.Tensor, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if dtype is None:
            return plain(self).replace("torch.", "torch.cuda.")
        return plain(self, dtype, *args, **kwargs)

    torch.Tensor.type = named  # type: ignore[method-assign,assignment]


class _NullStream(contextlib.nullcontext[None]):
    """Stands for a stream or an event: nothing on a CPU is asynchronous."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_, **__: self


def streams() -> None:
    """Replace streams and events by ones without effect (data parallel buffers, pipeline)."""
    stream = _NullStream()
    torch.cuda.Stream = torch.cuda.Event = _NullStream  # type: ignore[assignment,misc]
    torch.cuda.current_stream = torch.cuda.default_stream = lambda *_: stream  # type: ignore[assignment]
    torch.cuda.stream = lambda _: stream  # type: ignore[assignment,return-value]


def barrier() -> None:
    """Drop ``device_ids`` from barriers: gloo refuses the argument."""
    plain = dist.barrier

    def waited(group: Any = None, async_op: bool = False, device_ids: Any = None, **more: Any) -> Any:
        return plain(group=group, async_op=async_op, **more)

    dist.barrier = waited  # type: ignore[assignment]


def random_state() -> None:
    """Keep the named random states of tensor parallelism in the CPU's one generator."""
    torch.cuda.manual_seed = torch.manual_seed  # type: ignore[assignment]
    torch.cuda.get_rng_state = torch.cuda.random.get_rng_state = lambda *_, **__: torch.get_rng_state()
    from megatron.core.tensor_parallel import random

    random._set_cuda_rng_state = lambda state, device=-1, graph_safe=False: torch.set_rng_state(state)


def expert_splits() -> None:
    """Hand the token dispatcher of experts its splits as NumPy arrays, as it gets them from a GPU."""
    from megatron.core.transformer.moe import token_dispatcher

    move = token_dispatcher.maybe_move_tensor_to_cpu

    def moved(tensor: Any, as_numpy: bool = False, record_stream: bool = False) -> Any:
        return tensor.numpy() if as_numpy and torch.is_tensor(tensor) else move(tensor)

    token_dispatcher.maybe_move_tensor_to_cpu = moved


def uneven_pieces() -> None:
    """Gather and scatter pieces of unequal sizes one by one, as gloo can't: tokens of experts under TP."""
    gather, scatter = dist.all_gather, dist.reduce_scatter

    def gathered(pieces: list[torch.Tensor], own: torch.Tensor, group: Any = None, async_op: bool = False) -> Any:
        if len({piece.shape for piece in pieces}) == 1:
            return gather(pieces, own, group=group, async_op=async_op)
        pieces[dist.get_rank(group)].copy_(own)
        for rank, piece in enumerate(pieces):
            dist.broadcast(piece, group=group, group_src=rank)

    def scattered(own: torch.Tensor, pieces: list[torch.Tensor], op: Any = SUM, group: Any = None) -> Any:
        if len({piece.shape for piece in pieces}) == 1:
            return scatter(own, pieces, op, group)
        for rank, piece in enumerate(pieces):
            whole = piece.clone()
            dist.all_reduce(whole, op, group)
            if rank == dist.get_rank(group):
                own.copy_(whole)

    dist.all_gather, dist.reduce_scatter = gathered, scattered  # type: ignore[assignment]


def no_compilation() -> None:
    """Leave megatron's small fused functions uncompiled: it takes minutes, importing the compiler alone 1.5 s."""

    def uncompiled(model: Any = None, **_: Any) -> Any:
        return model if model is not None else lambda function: function

    torch.compile = uncompiled


def gradient_norm() -> None:
    """Sum the gradient's squares in fp64: ``torch.norm`` in fp32 on a CPU is up to 4e-4 low, differently by layout."""
    from megatron.core.optimizer import clip_grads

    def norm(_: Any, __: Any, lists: Any, *___: Any) -> tuple[torch.Tensor, None]:
        squares = [tensor.double().square().sum() for tensors in lists for tensor in tensors]
        return torch.stack(squares).sum().sqrt().float().view(1), None

    clip_grads.l2_norm_impl = norm


PATCHES = (
    no_transformer_engine,
    no_compilation,
    device_queries,
    tensor_factories,
    tensor_type,
    streams,
    barrier,
    random_state,  # the first to import megatron
    gradient_norm,
    expert_splits,
    uneven_pieces,
)
