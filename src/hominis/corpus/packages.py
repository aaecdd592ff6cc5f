"""Where a published Python file can be downloaded from, found by ``unearth``: nothing of the package is run.

The indexes are pip's: its default, or what its environment variables and configuration files name.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hominis.errors import InputError

if TYPE_CHECKING:
    from unearth import PackageFinder

_TIMEOUT_S = 60
_SETTINGS = ("index-url", "extra-index-url", "find-links", "trusted-host")


def pip_settings(environment: Mapping[str, str] = os.environ) -> dict[str, list[str]]:
    """Return pip's own index settings; the environment comes before the configuration files."""
    variables = {name: "PIP_" + name.replace("-", "_").upper() for name in _SETTINGS}
    settings = {name: environment[variable] for name, variable in variables.items() if variable in environment}
    if len(settings) < len(_SETTINGS):
        settings = {**_configured(), **settings}
    return {name: settings.get(name, "").split() for name in _SETTINGS}


def _configured() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # no pip here: nothing is listed
    pairs = [line.split("=", 1) for line in listed.stdout.splitlines() if "=" in line]
    return {
        name.rpartition(".")[2]: str(ast.literal_eval(value))
        for name, value in pairs
        if name.startswith(("global.", "download."))
    }


def finder() -> PackageFinder:
    """Return a finder over pip's indexes that takes files for any platform."""
    from unearth import PackageFinder

    settings = pip_settings()
    found = PackageFinder(
        index_urls=settings["index-url"], trusted_hosts=settings["trusted-host"], ignore_compatibility=True
    )
    found.session.timeout = _TIMEOUT_S
    for url in settings["extra-index-url"]:
        found.add_index_url(url)
    for place in settings["find-links"]:
        found.add_find_links(place)
    return found


def link(finder: PackageFinder, project: str, version: str, file: str) -> Any:
    """Return the link of the named file of a project's release.

    Raises:
        InputError: no index offers it.
    """
    from unearth.errors import UnpackError
    from unearth.preparer import HTTPErrors

    try:
        matches = finder.find_matches(f"{project}=={version}", allow_yanked=True, allow_prereleases=True)
        offered = {match.link.filename: match.link for match in matches}
    except (*HTTPErrors, UnpackError, OSError, ValueError) as error:
        raise InputError(
            f"the package index does not answer: {error or type(error).__name__}",
            where=f"{project} {version}",
            remedy=f"run again when it does, or put {file} into the folder fetch.downloads",
        ) from error
    if file not in offered:
        raise InputError(
            f"no index offers {file}",
            where=f"{project} {version}",
            remedy=f"offered: {', '.join(sorted(offered)) or 'nothing'}; "
            "correct the source's file, or put it into the folder fetch.downloads",
        )
    return offered[file]
