"""SHA-1 (FIPS 180-4) of many short byte ranges, 16 at once: a lane of the vector unit for each.

Numba's Python has no vectors, so the 80 rounds are written as LLVM instructions on vectors of 16 u32, which LLVM maps
to whatever the machine has (one AVX-512 register, two of AVX2, four of SSE or NEON).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.machine import instruction
from hominis.corpus.kernels.texts import Bytes, Offsets

U32 = npt.NDArray[np.uint32]

LANES = 16

_INITIAL = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], dtype=np.uint32)
_CONSTANTS = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
_VECTOR = ir.VectorType(ir.IntType(32), LANES)


@kernel
def sha1_first_words(data: Bytes, starts: Offsets, ends: Offsets, count: int, words: U32) -> None:
    """Put the first 4 bytes of the SHA-1 of each ``data[starts[i]:ends[i]]``, little-endian, into ``words[i]``."""
    state, block = np.empty(5 * LANES, dtype=np.uint32), np.zeros(16 * LANES, dtype=np.uint32)
    for group in range(0, count, LANES):
        lanes = min(LANES, count - group)
        blocks = 0
        for lane in range(lanes):
            blocks = max(blocks, _blocks(ends[group + lane] - starts[group + lane]))
        for word in range(5):
            state[word * LANES : (word + 1) * LANES] = _INITIAL[word]
        for number in range(blocks):
            _fill(data, starts[group : group + lanes], ends[group : group + lanes], number, block)
            _compress(state, block)
            for lane in range(lanes):
                if number == _blocks(ends[group + lane] - starts[group + lane]) - 1:
                    words[group + lane] = _swapped(state[lane])


@kernel
def _blocks(length: int) -> int:
    return (length + 8) // 64 + 1


@kernel
def _swapped(value: int) -> int:
    """Return a u32 with its bytes in the other order."""
    return (value & 0xFF) << 24 | (value & 0xFF00) << 8 | (value >> 8) & 0xFF00 | value >> 24


@kernel
def _fill(data: Bytes, starts: Offsets, ends: Offsets, number: int, block: U32) -> None:
    """Write block ``number`` of each padded message into its lane: 16 words in the byte order of memory."""
    for lane in range(starts.size):
        place = starts[lane] + 64 * number
        left = min(max(ends[lane] - place, -1), 64)
        if place + 64 <= data.size:
            _copy(data, place, left, block, lane)
        else:
            _copy_bytes(data, place, left, block, lane)
        if left < 56:
            bits = 8 * (ends[lane] - starts[lane])
            block[16 * lane + 14] = _swapped(bits >> 32)
            block[16 * lane + 15] = _swapped(bits & 0xFFFFFFFF)


@kernel
def _copy_bytes(data: Bytes, place: int, left: int, block: U32, lane: int) -> None:
    """Do as ``_copy`` where 64 bytes can't be read."""
    block[16 * lane : 16 * lane + 16] = 0
    for byte in range(min(left + 1, 64)):
        value = np.uint32(data[place + byte]) if byte < left else np.uint32(0x80)
        block[16 * lane + byte // 4] |= value << np.uint32(8 * (byte % 4))


@instruction
def _copy(context: Any, data: Any, place: Any, left: Any, block: Any, lane: Any) -> Any:
    """Copy ``left`` bytes of ``data`` from ``place`` on into a lane, then 0x80 (unless ``left`` is -1), then zeros."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), 64)
        origin, target = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 3))
        origin = builder.bitcast(builder.gep(origin, [arguments[1]]), kind.as_pointer())
        target = builder.gep(builder.bitcast(target, kind.as_pointer()), [arguments[4]])
        left = builder.trunc(arguments[2], kind.element)
        left = builder.insert_element(ir.Constant(kind, ir.Undefined), left, ir.Constant(ir.IntType(32), 0))
        left = builder.shuffle_vector(left, left, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))
        number, ends, zeros = (ir.Constant(kind, values) for values in (list(range(64)), [0x80] * 64, [0] * 64))
        closing = builder.select(builder.icmp_signed("==", number, left), ends, zeros)
        copied = builder.select(builder.icmp_signed("<", number, left), builder.load(origin, align=1), closing)
        builder.store(copied, target, align=4)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.int64, block, types.int64), generate


@instruction
def _compress(context: Any, state: Any, block: Any) -> Any:
    """Bring ``state`` (5 words of every lane) forward by ``block`` (every lane's 16 words)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = [
            builder.bitcast(context.make_array(kind)(context, builder, argument).data, _VECTOR.as_pointer())
            for kind, argument in zip(signature.args, arguments, strict=True)
        ]
        at = [[builder.gep(place, [ir.Constant(ir.IntType(64), i)]) for i in range(16)] for place in places]
        before = [builder.load(at[0][i], align=4) for i in range(5)]
        rows = [_call(builder, "bswap", builder.load(at[1][i], align=4)) for i in range(16)]
        for old, new, place in zip(before, _rounds(builder, before, _transposed(builder, rows)), at[0], strict=False):
            builder.store(builder.add(old, new), place, align=4)
        return context.get_dummy_value()

    return types.void(state, block), generate


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Generate the transpose of 16 x 16 values: four times, interleave the first half of the rows with the second."""
    for _ in range(4):
        halves = []
        for upper, lower in zip(rows[:8], rows[8:], strict=True):
            for begin in (0, 8):
                order = [place for i in range(begin, begin + 8) for place in (i, LANES + i)]
                halves.append(builder.shuffle_vector(upper, lower, ir.Constant(_VECTOR, order)))
        rows = halves
    return rows


def _rounds(builder: Any, before: list[Any], schedule: list[Any]) -> list[Any]:
    """Generate the 80 rounds; the schedule is made as it is used, 16 words of it alive."""
    a, b, c, d, e = before
    for number in range(80):
        if number >= 16:
            drawn = schedule[number - 3]
            for back in (8, 14, 16):
                drawn = builder.xor(drawn, schedule[number - back])
            schedule.append(_rotated(builder, drawn, 1))
        total = _rotated(builder, a, 5)
        for term in (_chosen(builder, number // 20, b, c, d), e, _all(_CONSTANTS[number // 20]), schedule[number]):
            total = builder.add(total, term)
        a, b, c, d, e = total, a, _rotated(builder, b, 30), c, d
    return [a, b, c, d, e]


def _chosen(builder: Any, quarter: int, b: Any, c: Any, d: Any) -> Any:
    if quarter == 0:
        return builder.xor(d, builder.and_(b, builder.xor(c, d)))
    if quarter == 2:
        return builder.or_(builder.and_(b, c), builder.and_(d, builder.or_(b, c)))
    return builder.xor(builder.xor(b, c), d)


def _rotated(builder: Any, value: Any, bits: int) -> Any:
    return _call(builder, "fshl", value, value, _all(bits))


def _call(builder: Any, name: str, *arguments: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(arguments))
    return builder.call(builder.module.declare_intrinsic(f"llvm.{name}.v{LANES}i32", fnty=kind), arguments)


def _all(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * LANES)
