"""How kernels are compiled: once for a machine and these sources, then read from a cache on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Return the function compiled at its first call, without bounds checks, the interpreter's lock let go.

    Division by zero gives inf or nan, as NumPy does, and no error.
    """
    numba.config.CACHE_DIR = str(_cache_folder())
    compiled: Function = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return compiled


@cache
def _cache_folder() -> Path:
    """Return a folder of these sources' own.

    Numba compiles anew when a kernel's own file changed, not when that of a function changed which it calls.
    """
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))).hexdigest()[:16]
    given = os.environ.get("NUMBA_CACHE_DIR")
    roots = [Path(given)] if given else [here / "__pycache__", Path(tempfile.gettempdir()) / f"hominis-{os.getuid()}"]
    for root in roots[:-1]:
        if _writable(root / digest):
            return root / digest
    return roots[-1] / digest


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
