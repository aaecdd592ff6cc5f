"""``hominis cancel``: stop a run's jobs well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hominis.cli.common import run_option, say_as, site_of
from hominis.jobs.cancel import cancel
from hominis.jobs.task import keys_of, of_run
from hominis.jobs.witness import Witness
from hominis.stages import STAGES
from hominis.store import ledger

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@click.command("cancel", short_help="Stop a run's jobs; what can write a checkpoint does.")
@run_option
@click.argument("stages", nargs=-1, type=click.Choice(list(STAGES)))
@click.option("--grace", default=300, show_default=True, help="Seconds for checkpoints, before it is ended.")
def command(run: RunConfig, stages: tuple[str, ...], grace: int) -> None:
    """Stop the jobs of a run, or of some of its STAGES, and see them end.

    Drivers at work submit no more and end. What waits is taken out of the queue; what runs is asked to stop, as before
    its wall time, so that it goes on from its checkpoint when the run is started again.

    \b
    Examples:
      hominis cancel
      hominis cancel pretrain --grace 600
    """
    site, count = site_of(run), 0
    witness = Witness(site)
    for stage in stages or STAGES:
        for home in of_run(site, run.run, stage):
            running = [a for a in ledger.read(site.root, keys_of(home).values(), witness.proof) if a.outcome is None]
            count += cancel(home, running, grace, say_as(stage))
    click.echo(f"{count} jobs stopped" if count else "no job was under way")
