"""Debian packages through the machine's own apt-get: found and downloaded, never installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hominis.errors import InputError

_COMMAND = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"]


Release = tuple[str, str]
"""A package's name and version."""


def offered(releases: Sequence[Release]) -> set[Release]:
    """Return which releases apt-get offers in this very version: none where it isn't."""
    if not releases or shutil.which("apt-get") is None:
        return set()
    if _all_offered(releases):
        return set(releases)
    return {release for release in releases if len(releases) > 1 and _all_offered([release])}


def _all_offered(releases: Sequence[Release]) -> bool:
    command = [*_COMMAND, "--print-uris", *(f"{package}={version}" for package, version in releases)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.returncode == 0 and len(asked.stdout.splitlines()) == len(releases)


def download(package: str, version: str, folder: Path) -> None:
    """Download the package's file into ``folder``.

    Raises:
        InputError: apt-get isn't here or doesn't get it; with its own words.
    """
    if shutil.which("apt-get") is None:
        raise InputError(f"no apt-get to download {package} with", remedy="put the file into fetch.downloads")
    asked = subprocess.run([*_COMMAND, f"{package}={version}"], capture_output=True, text=True, check=False, cwd=folder)
    if asked.returncode:
        raise InputError(
            f"apt-get does not get {package} {version}: {asked.stderr.strip()}",
            remedy="run `apt-get update`, correct the source's revision, or put the file into fetch.downloads",
        )
