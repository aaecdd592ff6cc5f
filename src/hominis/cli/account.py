"""``hominis account``: what the run cost, in kWh and gCO2e, every attempt charged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hominis.cli.common import json_option, run_option
from hominis.cli.contents import attempts_of

if TYPE_CHECKING:
    from hominis.carbon.costs import Account
    from hominis.config.run import RunConfig


@click.command("account", short_help="Say what the run cost: kWh and gCO2e, failed attempts included.")
@run_option
@click.option("--out", type=click.Path(path_type=Path), help="Also write the account there, as JSON.")
@json_option
def command(run: RunConfig, out: Path | None, as_json: bool) -> None:
    """Charge every attempt of a run, whatever became of it.

    \b
    Examples:
      hominis account
      hominis account --json
    """
    from hominis.carbon.account import account
    from hominis.store import files

    made = account(attempts_of(run), run.account)
    text = files.canonical(made.model_dump(mode="json"))
    if out:
        files.replace(out, text)
    click.echo(text if as_json else summary(run.run, made), nl=not as_json)


def summary(name: str, account: Account) -> str:
    """Return what a run cost, in a line for people."""
    cost, lost = account.total.all, account.total.lost
    carbon = f"{cost.co2e_g.value:.2f} gCO2e ({cost.co2e_g.low:.2f} to {cost.co2e_g.high:.2f})"
    wasted = f", {lost.attempts} of them lost or failed ({lost.energy_kwh:.4f} kWh)" if lost.attempts else ""
    return f"{name} cost {cost.facility_kwh.value:.4f} kWh, {carbon} in {cost.attempts} attempts{wasted}"
