"""Programs in the place of Slurm's: what they answer is what is tested against."""

import os


def put(folder, monkeypatch, **scripts):
    """Put shell scripts first on the PATH, by name."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
