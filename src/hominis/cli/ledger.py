"""``hominis ledger``: every attempt and what it cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.common import json_option, run_option, site_of
from hominis.jobs.backend import Unclear
from hominis.jobs.charges import Allocation, Try, allocations
from hominis.jobs.progress import duration
from hominis.jobs.witness import Witness
from hominis.store import ledger

if TYPE_CHECKING:
    from hominis.config.run import RunConfig

SUMMED = ("attempts", "seconds", "energy_kwh", "node_seconds", "joules")
UNCLAIMED = "unclaimed"
"""Outcome of an allocation whose job ended, or found another at work, before it took its part."""


@click.command("ledger", short_help="List every attempt: state, time, energy; and the totals.")
@run_option
@click.option("--all", "everything", is_flag=True, help="All runs of the site, not only this one.")
@json_option
def command(run: RunConfig, everything: bool, as_json: bool) -> None:
    """List every attempt with its outcome, time and energy: failed and lost ones too.

    Jobs of Slurm also show what the accounting charged: node-seconds of the whole allocation, and joules where the
    site measures them. An allocation in which no attempt began is a row of its own.

    \b
    Examples:
      hominis ledger
      hominis ledger --all --json
    """
    site = site_of(run)
    attempts = [a for a in ledger.read(site.root, proof=Witness(site).proof) if everything or a.run == run.run]
    found = rows(attempts, _charged(run, everything))
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical({"attempts": found, "totals": totals(found)}), nl=False)
        return
    for row in found:
        click.echo(_line(row))
    for outcome, total in totals(found).items():
        count, seconds = total["attempts"], duration(total["seconds"])
        click.echo(f"{outcome:<12}{count:>6} attempts {seconds:>14} {_wh(total)} {_charge(total)}".rstrip())


def _charged(run: RunConfig, everything: bool) -> Mapping[Try, Allocation]:
    try:
        return allocations(site_of(run), None if everything else run.run)
    except Unclear as silence:
        click.echo(f"without what Slurm charged: {silence}", err=True)
        return {}


def rows(attempts: Sequence[ledger.Attempt], charged: Mapping[Try, Allocation]) -> list[dict[str, Any]]:
    """Return attempts joined with their allocations, and allocations without an attempt, oldest first."""
    left, found = dict(charged), []
    for attempt in attempts:
        slurm = attempt.owner.get("slurm")
        allocation = left.pop((slurm["name"], slurm["index"], slurm["restart"]), None) if slurm else None
        own = {**vars(attempt), "seconds": round(attempt.seconds, 3), "outcome": attempt.outcome}
        found.append(own | _columns(allocation))
    found += [_unclaimed(allocation) | _columns(allocation) for allocation in left.values()]
    return sorted(found, key=lambda row: float(row["opened"]))


def _columns(allocation: Allocation | None) -> dict[str, Any]:
    if allocation is None:
        return {"job": None, "state": None, "node_seconds": 0, "joules": 0.0}
    what = allocation
    return {"job": what.job, "state": what.state, "node_seconds": what.node_seconds, "joules": what.joules}


def _unclaimed(what: Allocation) -> dict[str, Any]:
    named = {"stage": what.stage, "part": what.part, "run": what.run, "key": None, "n": 0, "outcome": UNCLAIMED}
    return {**named, "opened": what.start, "seconds": 0.0, "reading": {}, "error": what.state}


def totals(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return attempts, seconds, kWh and what Slurm charged by outcome, and of all together."""
    sums: dict[str, dict[str, float]] = {}
    for what in found:
        for name in (what["outcome"] or "running", "all"):
            row = sums.setdefault(name, dict.fromkeys(SUMMED, 0))
            row["attempts"] += int(what["outcome"] != UNCLAIMED)
            row["seconds"] += what["seconds"]
            row["energy_kwh"] += float(what["reading"].get("energy_kwh", 0.0))
            row["node_seconds"] += what["node_seconds"]
            row["joules"] += what["joules"]
    return {name: sums[name] for name in sorted(sums, key=lambda n: (n == "all", n))}


def _wh(what: Mapping[str, Any]) -> str:
    return f"{1000 * float(what.get('energy_kwh', 0.0)):9.3f} Wh"


def _charge(what: Mapping[str, Any]) -> str:
    energy = f" {what['joules'] / 3600:9.3f} Wh by the site" if what["joules"] else ""
    return f"{what['node_seconds']:8,.0f} node-s{energy}" if what["node_seconds"] else ""


def _line(row: Mapping[str, Any]) -> str:
    when = time.strftime("%m-%d %H:%M:%S", time.localtime(row["opened"]))
    state, name = row["outcome"] or "running", f"{row['stage']}/{row['part']}"
    job = f" job {row['job']} {row['state']}" if row["job"] else ""
    start = f"{when}  {name:<36} #{row['n']:<3} {state:<11} {duration(row['seconds']):>13} {_wh(row['reading'])}"
    return f"{start} {_charge(row)}{job}".rstrip()
