"""Environments of their own for what benchmarks are measured beside."""

import subprocess
import sys
from pathlib import Path


def python_with(packages: tuple[str, ...], folder: Path) -> str:
    """Install packages from PyPI into an environment in ``folder``; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
    return python
