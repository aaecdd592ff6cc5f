"""``hominis report``: the page, the tables and results.json."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.account import summary
from hominis.cli.common import run_option, say_as, site_of
from hominis.cli.contents import attempts_of, standing_stages
from hominis.store import artefacts, files

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@click.command("report", short_help="Write the page, the results table and results.json.")
@run_option
def command(run: RunConfig) -> None:
    """Write results.json, and from it the page and the results table in Markdown, LaTeX and CSV.

    Every byte that a number comes from is verified first.

    \b
    Examples:
      hominis report
      hominis report --config results/quickstart/config.json
    """
    from hominis.carbon.account import account
    from hominis.report.build import build

    site, attempts = site_of(run), attempts_of(run)
    made = account(attempts, run.account)
    opened = {
        name: [artefacts.open_artefact(site, name, ref.key, ref.digest) for ref in refs]
        for name, refs in standing_stages(run, site)
    }
    receipts = {name: _receipt(run.receipts / f"{name}.json") for name in opened}
    config = run.model_dump(mode="json")
    page = build(run.run, run.folder / "report", opened, receipts, attempts, made, config, source(Path.cwd()))
    say = say_as("report")
    say(summary(run.run, made))
    say(f"{page}")


def _receipt(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    return {"key": json.loads(text)["key"], "digest": files.digest(text), "path": str(path)}


def source(folder: Path) -> dict[str, Any]:
    """Return the commit that ``folder`` is a checkout of, and whether it was changed since; empty if it is none."""
    commit = _git(folder, "rev-parse", "HEAD")
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))} if commit else {}


def _git(folder: Path, *what: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *what], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
