"""Which code is running: the commit of the checkout that hominis is imported from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def checkout(file: Path = Path(__file__)) -> dict[str, Any]:
    """Return ``commit`` and ``dirty`` (changed since) of the checkout that tracks ``file``; empty if none does."""
    if not _git(file.parent, "ls-files", "--error-unmatch", file.name):
        return {}
    return {"commit": _git(file.parent, "rev-parse", "HEAD"), "dirty": bool(_git(file.parent, "status", "--porcelain"))}


def _git(folder: Path, *what: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *what], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
