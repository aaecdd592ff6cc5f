"""The program inside the sandbox: runs a candidate in one process and its tests in another.

It is handed to the jail's Python as text, so it imports the standard library only and nothing of hominis. Standard
input brings two messages: the candidate's code; then, read only after that code has run, the tests with a nonce. The
nonce goes to standard output if, and only if, every test passed.

The candidate's process never holds the tests, the nonce or a way out: it answers calls of its function over a pipe,
with plain data. Objects with a mind of their own (an ``__eq__`` that is always true), frame walks, early exits and
printed lies therefore gain nothing. The price, which no test of HumanEval asks for: arguments that the candidate
changes in place stay as they were for the tests, and a result of a class of the candidate's own equals nothing.
"""

import builtins
import ctypes
import json
import os
import platform
import resource
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

LONGEST_MESSAGE = 1 << 24
SET_SECCOMP, SET_DUMPABLE, SET_NO_NEW_PRIVILEGES, FILTER_MODE = 22, 4, 38, 2
SHMGET = {"x86_64": (0xC000003E, 29), "aarch64": (0xC00000B7, 194)}
"""Per machine: its number in seccomp's eyes, and that of the call whose memory no resource limit counts."""
PLAIN = (bool, int, float, str)
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
NUMBERS = {"complex": complex, "Decimal": Decimal, "Fraction": Fraction}


def main() -> None:
    """Run one candidate and its tests."""
    verdict, silence = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
    task = receive(0)
    call_read, call_write = os.pipe()
    answer_read, answer_write = os.pipe()
    if os.fork() == 0:
        os.dup2(silence, 0)
        be_candidate(task, call_read, answer_write)
    os.close(call_read)
    os.close(answer_write)
    limit(task["limits"])
    if receive(answer_read) != "ready":
        os._exit(1)
    tests = receive(0)
    judge(tests, call_write, answer_read)
    os.write(verdict, tests["nonce"].encode())
    os._exit(0)


def be_candidate(task: dict[str, Any], calls: int, answers: int) -> None:
    """Run the candidate's code, then answer calls of its function; never returns."""
    try:
        os.dup2(calls, 3)
        os.dup2(answers, 4)
        os.closerange(5, 1024)
        limit(task["limits"])
        forbid_shared_memory()
        names: dict[str, Any] = {"__name__": "candidate"}
        exec(task["code"], names)  # noqa: S102 - what the jail is for
        send(4, "ready")
        while True:
            send(4, answer(names[task["entry_point"]], receive(3)))
    finally:
        os._exit(1)


def answer(function: Any, arguments: Any) -> Any:
    """Return ``["value", …]`` or, where the function raised, ``["raised", the exception's name]``."""
    try:
        return ["value", encode(function(*decode(arguments[0]), **decode(arguments[1])))]
    except Exception as error:
        return ["raised", type(error).__name__]


def judge(tests: dict[str, Any], calls: int, answers: int) -> None:
    """Run the tests against the candidate's process; an exception says that they failed."""

    def candidate(*positional: Any, **named: Any) -> Any:
        send(calls, [encode(positional), encode(named)])
        kind, value = receive(answers)
        if kind == "value":
            return decode(value)
        raised = getattr(builtins, value, None)
        raise raised() if isinstance(raised, type) and issubclass(raised, Exception) else RuntimeError(value)

    names: dict[str, Any] = {"__name__": "tests"}
    # The prompt alone, its function left empty: tests use the helpers and imports above it.
    exec(tests["prompt"] + "\n    pass\n", names)  # noqa: S102 - the benchmark's own code
    names[tests["entry_point"]] = candidate
    exec(tests["tests"], names)  # noqa: S102 - the benchmark's own code
    names["check"](candidate)


def encode(value: Any) -> Any:
    """Return a value as JSON, its type kept where it is a plain one; else as an ``opaque`` one."""
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    for name, kind in SEQUENCES.items():
        if isinstance(value, kind):
            return {name: [encode(item) for item in value]}
    for name, number in NUMBERS.items():
        if isinstance(value, number):
            return {name: str(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value.hex()}
    return {"opaque": None}


def decode(value: Any) -> Any:
    """Return what ``encode`` was given; an opaque value comes back as one that equals nothing."""
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == "dict":
        return {decode(key): decode(item) for key, item in content}
    if name in SEQUENCES:
        return SEQUENCES[name](decode(item) for item in content)
    if name in NUMBERS:
        return NUMBERS[name](content)
    return bytes.fromhex(content) if name == "bytes" else object()


def limit(limits: dict[str, int]) -> None:
    """Bound this process for good, by the names of ``resource``'s limits."""
    for name, bound in limits.items():
        resource.setrlimit(getattr(resource, name), (bound, bound))


def forbid_shared_memory() -> None:
    """Refuse System V shared memory from here on, on the machines whose call number is known (seccomp, BPF)."""
    if platform.machine() not in SHMGET:
        return
    machine, call = SHMGET[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06
    refuse, allow = 0x00050001, 0x7FFF0000
    steps = [(load, 0, 0, 4), (equal, 0, 3, machine), (load, 0, 0, 0), (equal, 0, 1, call), (give, 0, 0, refuse)]
    code = b"".join(struct.pack("HBBI", *step) for step in [*steps, (give, 0, 0, allow)])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HL", len(steps) + 1, ctypes.addressof(held))
    prctl = ctypes.CDLL(None).prctl
    prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if prctl(SET_SECCOMP, FILTER_MODE, program, 0, 0):
        os._exit(1)


def send(pipe: int, message: Any) -> None:
    """Write a message: its length, then itself as JSON."""
    body = json.dumps(message).encode()
    data = memoryview(struct.pack("<I", len(body)) + body)
    while data:
        data = data[os.write(pipe, data) :]


def receive(pipe: int) -> Any:
    """Read one message and not a byte more: what follows must stay out of this process until it is wanted."""
    (length,) = struct.unpack("<I", _exactly(pipe, 4))
    if length > LONGEST_MESSAGE:
        os._exit(1)
    return json.loads(_exactly(pipe, length))


def _exactly(pipe: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = os.read(pipe, length - len(data))
        if not more:
            os._exit(1)
        data += more
    return data


if __name__ == "__main__":
    main()
