"""``hominis ledger``: every attempt and what it cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.common import json_option, run_option, site_of
from hominis.jobs.progress import duration
from hominis.store import ledger

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@click.command("ledger", short_help="List every attempt: state, time, energy; and the totals.")
@run_option
@click.option("--all", "everything", is_flag=True, help="All runs of the site, not only this one.")
@json_option
def command(run: RunConfig, everything: bool, as_json: bool) -> None:
    """List every attempt with its outcome, time and energy: failed and lost ones too.

    \b
    Examples:
      hominis ledger
      hominis ledger --all --json
    """
    attempts = [a for a in ledger.read(site_of(run).root) if everything or a.run == run.run]
    if as_json:
        from hominis.store.files import canonical

        rows = [{**vars(attempt), "seconds": round(attempt.seconds, 3)} for attempt in attempts]
        click.echo(canonical({"attempts": rows, "totals": totals(attempts)}), nl=False)
        return
    for attempt in attempts:
        click.echo(_row(attempt))
    for outcome, total in totals(attempts).items():
        click.echo(f"{outcome:<12}{total['attempts']:>6} attempts {duration(total['seconds']):>14} {_wh(total)}")


def totals(attempts: Sequence[ledger.Attempt]) -> dict[str, dict[str, float]]:
    """Return attempts, seconds and kWh by outcome, and of all together."""
    sums: dict[str, dict[str, float]] = {}
    for attempt in attempts:
        for name in (attempt.outcome or "running", "all"):
            row = sums.setdefault(name, {"attempts": 0, "seconds": 0.0, "energy_kwh": 0.0})
            row["attempts"] += 1
            row["seconds"] += attempt.seconds
            row["energy_kwh"] += float(attempt.reading.get("energy_kwh", 0.0))
    return {name: sums[name] for name in sorted(sums, key=lambda n: (n == "all", n))}


def _wh(what: dict[str, Any]) -> str:
    return f"{1000 * float(what.get('energy_kwh', 0.0)):9.3f} Wh"


def _row(attempt: ledger.Attempt) -> str:
    when = time.strftime("%m-%d %H:%M:%S", time.localtime(attempt.opened))
    state = attempt.outcome or "running"
    name = f"{attempt.stage}/{attempt.part}"
    return (
        f"{when}  {name:<36} #{attempt.n:<3} {state:<11} {duration(attempt.seconds):>13} {_wh(dict(attempt.reading))}"
    )
