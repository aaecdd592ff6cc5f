"""``hominis verify``: are the bytes the right ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hominis.cli.common import json_option, run_option, say_as, site_of
from hominis.cli.contents import Damage, damage, stages_of
from hominis.errors import CorruptArtefact

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@click.command("verify", short_help="Check that every byte of a run is what its receipt says.")
@run_option
@click.option("--deep", is_flag=True, help="Hash everything again, also what was hashed before.")
@json_option
def command(run: RunConfig, deep: bool, as_json: bool) -> None:
    """Check that every artefact of a run matches its receipt.

    \b
    Examples:
      hominis verify
      hominis verify --deep --json
    """
    say, checked = say_as("verify"), 0
    found: list[Damage] = []
    for stage in stages_of(run):
        bad = damage(run, site_of(run), stage, deep)
        checked += len(stage.refs)
        found += bad
        if not as_json:
            say(f"{stage.stage}: {'damaged' if bad else 'whole'}, {len(stage.refs)} parts")
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical({"checked": checked, "damaged": [vars(d) for d in found]}), nl=False)
    if found:
        problems = "\n".join(d.problem for d in found)
        raise CorruptArtefact(problems, where=run.folder, remedy="`hominis repair` rebuilds these, and these alone")
