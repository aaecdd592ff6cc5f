"""A few machine operations that numba's Python has no words for, as LLVM instructions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

pread = types.ExternalFunction("pread", types.int64(types.int32, types.uintp, types.uintp, types.int64))
"""The system's: read a number of bytes of a file, from a place on, to an address."""

_I64, _I128 = ir.IntType(64), ir.IntType(128)


def instruction(typed: Callable[..., Any]) -> Any:
    """Return what kernels can call; ``typed`` maps the types of its arguments to a signature and a code generator."""
    return intrinsic(typed)


@instruction
def load64(context: Any, data: Any, place: Any) -> Any:
    """Return the 8 bytes of ``data`` (u8) from ``place`` on as a little-endian u64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.gep(array.data, [arguments[1]])
        loaded = builder.load(builder.bitcast(address, _I64.as_pointer()), align=1)
        return loaded

    return types.uint64(data, types.int64), generate


@instruction
def folded(context: Any, left: Any, right: Any) -> Any:
    """Return the lower half of the 128-bit product of two u64, exclusive or its upper half."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, _I128) for argument in arguments))
        upper = builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)
        return builder.xor(builder.trunc(product, _I64), upper)

    return types.uint64(types.uint64, types.uint64), generate


@instruction
def trailing_zeros(context: Any, value: Any) -> Any:
    """Return how many of the lowest bits of a u64 are 0: 64 for 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate
