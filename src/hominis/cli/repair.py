"""``hominis repair``: rebuild what is damaged, and that alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hominis.cli.common import run_option, say_as, site_of
from hominis.cli.contents import damage, stages_of
from hominis.cli.stage import do
from hominis.store.artefacts import retire
from hominis.store.cores import cores

if TYPE_CHECKING:
    from hominis.config.run import RunConfig

PASSES = 3
"""Behind a damaged list of parts there may be damaged parts; a disk that never gives back what it got is not ours."""


@click.command("repair", short_help="Rebuild damaged artefacts, and those alone.")
@run_option
@click.option("--deep", is_flag=True, help="Hash everything again first, also what was hashed before.")
@click.option("--jobs", type=click.IntRange(1), default=cores, help="Cores to use, and parts at a time at most.")
def command(run: RunConfig, deep: bool, jobs: int) -> None:
    """Take damaged artefacts out of use (their bytes are kept below `retired/`) and make them anew.

    A stage whose work is deterministic gives the same receipts again, so nothing below it runs.

    \b
    Examples:
      hominis repair
      hominis repair --deep
    """
    site, say, repaired = site_of(run), say_as("repair"), 0
    for stage in stages_of(run):
        for _ in range(PASSES):
            bad = damage(run, site, stage, deep)
            if not bad:
                break
            for item in bad:
                say(item.problem)
                if item.key:
                    retire(site, stage.stage, item.key)
            do(run, stage.stage, jobs)
            repaired += len(bad)
    say(f"{repaired} artefacts rebuilt" if repaired else "nothing is damaged")
