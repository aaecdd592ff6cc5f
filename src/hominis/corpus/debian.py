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


def refused(releases: Sequence[Release]) -> dict[Release, str]:
    """Return which releases apt-get does not offer in this very version, each with the reason."""
    if releases and shutil.which("apt-get") is None:
        return dict.fromkeys(releases, "there is no apt-get")
    if not releases or _refusal(releases) is None:  # asked at once, as each question costs a second
        return {}
    reasons = {release: _refusal([release]) for release in releases}
    return {release: reason for release, reason in reasons.items() if reason is not None}


def _refusal(releases: Sequence[Release]) -> str | None:
    command = [*_COMMAND, "--print-uris", *(f"{package}={version}" for package, version in releases)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode == 0 and len(asked.stdout.splitlines()) == len(releases):
        return None
    return " ".join(asked.stderr.split()) or "apt-get does not offer it and gives no reason"


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
