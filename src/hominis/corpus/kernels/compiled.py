"""How kernels are compiled: once for a machine and these sources, then read from a cache on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Return the function compiled at its first call, without bounds checks, the interpreter's lock let go.

    Division by zero gives inf or nan, as NumPy does, and no error.
    """
    numba.config.CACHE_DIR = str(cache_folder(Path(__file__).parent))
    compiled: Function = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return compiled


def inlined(function: Function) -> Function:
    """Return the function as a part of each kernel that calls it, before anything is compiled.

    For what is called for every word or byte: a call with an array counts references to it, which costs more.
    """
    inner: Function = numba.njit(inline="always")(function)
    return inner


@cache
def cache_folder(sources: Path) -> Path:
    """Return a folder that belongs to the present state of a folder of sources.

    Numba compiles anew when a kernel's own file changed, not when that of a function changed which it calls. Where
    neither ``NUMBA_CACHE_DIR``, nor the sources' folder or the user's own can be written, every process compiles anew.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources.glob("*.py")))).hexdigest()[:16]
    given, home = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    for root in [Path(given)] if given else [sources / "__pycache__", Path(home) / "hominis"]:
        with suppress(OSError):
            (root / digest).mkdir(parents=True, exist_ok=True)
            if os.access(root / digest, os.W_OK):
                return root / digest
    return Path(tempfile.mkdtemp(prefix="hominis-kernels-"))  # cached data is code: in no folder that others can guess
