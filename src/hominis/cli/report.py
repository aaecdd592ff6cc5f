"""``hominis report``: the page, the tables and results.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.account import summary
from hominis.cli.checkout import checkout
from hominis.cli.common import run_option, say_as, site_of
from hominis.cli.contents import attempts_of, stages_of
from hominis.errors import InputError
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
    stages = stages_of(run)
    stale = [f"{stage.stage}: {stage.problem}" for stage in stages if stage.problem]
    if stale:
        remedy = "start snakemake again: it brings them up to date"
        raise InputError("the report would mix " + "; ".join(stale), where=run.receipts, remedy=remedy)
    opened = {
        stage.stage: [artefacts.open_artefact(site, stage.stage, ref.key, ref.digest) for ref in stage.refs]
        for stage in stages
    }
    receipts = {name: _receipt(run.receipts / f"{name}.json") for name in opened}
    config = run.model_dump(mode="json")
    page = build(run.run, run.folder / "report", opened, receipts, attempts, made, config, checkout(), site.records)
    say = say_as("report")
    say(summary(run.run, made))
    say(f"{page}")


def _receipt(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    return {"key": json.loads(text)["key"], "digest": files.digest(text), "path": str(path)}
