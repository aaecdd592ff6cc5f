"""``hominis status``: what runs, where, since when, how far, what remains."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.common import json_option, run_option, site_of
from hominis.jobs.intents import every
from hominis.jobs.progress import duration, left, shown
from hominis.jobs.queue import Queued
from hominis.jobs.task import keys_of, of_run
from hominis.jobs.witness import Witness
from hominis.stages import of
from hominis.stages.standing import StageStanding, standing
from hominis.store import ledger
from hominis.store.owner import describe

if TYPE_CHECKING:
    from hominis.config.run import RunConfig
    from hominis.store.site import Site

SHOWN = 10
"""Attempts of a stage that are listed; `--json` has all."""


@click.command("status", short_help="Show what is done, what runs and where, what remains.")
@run_option
@json_option
def command(run: RunConfig, as_json: bool) -> None:
    """Show each stage of a run: done, running (where, since when, how far), or to do.

    \b
    Examples:
      hominis status
      watch -n 5 hominis status
    """
    site = site_of(run)
    stands = {stage.stage: stage for stage in standing(run, site)}
    stages = [_stage(run, site, name, stands.get(name)) for name in of(run)]
    page = run.page
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical({"run": run.run, "stages": stages, "report": str(page) if page.exists() else None}))
        return
    click.echo(f"{run.run}: {sum(s['state'] == 'done' for s in stages)} of {len(stages)} stages done")
    for stage in stages:
        click.echo(f"  {stage['stage']:<12}{stage['state']:<9}{_parts(stage)}")
        for group in stage["jobs"]:
            click.echo(f"      {_shown(group)}")
        for attempt in stage["running"][:SHOWN]:
            pieces = [attempt[name] for name in ("progress", "remains", "resumed", "where", "since") if attempt[name]]
            click.echo(f"      {attempt['part']}: {' · '.join(pieces)}")
            for warning in attempt["warnings"]:
                click.echo(f"        warning: {warning}")
        if len(stage["running"]) > SHOWN:
            click.echo(f"      and {len(stage['running']) - SHOWN} more")
    if page.exists():
        click.echo(f"report: {page}")


def _parts(stage: dict[str, Any]) -> str:
    counted = f"{stage['present']}/{stage['parts']} parts" if stage["parts"] else ""
    return " · ".join(piece for piece in (counted, stage["why"]) if piece)


def _stage(run: RunConfig, site: Site, name: str, stands: StageStanding | None) -> dict[str, Any]:
    row: dict[str, Any] = {"stage": name, "state": "to do", "parts": 0, "present": 0, "jobs": [], "running": []}
    row["why"] = ""
    if stands:
        state = "stale" if stands.problem else "done"
        return row | {"state": state, "parts": len(stands.refs), "present": stands.present, "why": stands.problem}
    homes = of_run(site, run.run, name)
    if not homes:
        return row
    keys, witness = keys_of(homes[-1]), Witness(site)
    running = [a for a in ledger.read(site.root, keys.values(), witness.proof) if a.outcome is None]
    present, jobs = len(set(keys.values()) & site.present(name)), _jobs(homes[-1], witness)
    state = "running" if running else "waiting" if jobs else "stopped"
    counts = {"state": state, "parts": len(keys), "present": present, "jobs": jobs}
    return row | counts | {"running": [row_of(a) for a in running]}


def _jobs(home: Path, witness: Witness) -> list[dict[str, Any]]:
    """Return the task's jobs that the queue knows, those alike together: state, reason, nodes, expected start."""
    groups: dict[tuple[str, str, str], list[Queued]] = {}
    for intent in (intent for intent in every(home) if intent.ends is None):
        for index in range(len(intent.parts)):
            for entry in witness.queued((intent.name, index)):
                groups.setdefault((entry.job, entry.state, entry.reason), []).append(entry)
    return [_group(*key, entries) for key, entries in groups.items()]


def _group(job: str, state: str, reason: str, entries: list[Queued]) -> dict[str, Any]:
    starts = [entry.start for entry in entries if entry.start and state == "PENDING"]
    nodes = sorted({entry.nodes for entry in entries if entry.nodes})
    reason = "" if reason == "None" else reason
    start = min(starts, default=None)
    return {"job": job, "state": state, "tasks": len(entries), "reason": reason, "nodes": nodes, "start": start}


def _shown(group: dict[str, Any]) -> str:
    pieces = [f"{group['tasks']} {group['state'].lower()}"]
    pieces += [group["reason"]] if group["reason"] else []
    pieces += [f"on {', '.join(group['nodes'][:4])}"] if group["nodes"] else []
    pieces += [time.strftime("expected to start %m-%d %H:%M", time.localtime(group["start"]))] if group["start"] else []
    return f"job {group['job']}: {' · '.join(pieces)}"


def row_of(attempt: ledger.Attempt) -> dict[str, Any]:
    """Return what is shown of a running attempt, as words; ``figures`` has all that it reported, as numbers."""
    elapsed, progress = time.time() - attempt.opened, attempt.progress
    row: dict[str, Any] = {"part": attempt.part, "where": describe(attempt.owner), "since": f"for {duration(elapsed)}"}
    row |= {"progress": "started", "remains": "", "resumed": "", "figures": dict(progress)}
    row["warnings"] = list(attempt.warnings)
    if not progress or not progress["done"]:
        return row
    return row | {"progress": shown(progress), "remains": left(_left_s(attempt)), "resumed": _resumed(progress)}


def _resumed(progress: Mapping[str, Any]) -> str:
    """Return from where an attempt went on, and how long it took until its first step was done."""
    if not progress.get("from_step"):
        return ""
    took = f", its start took {duration(progress['start_s'])}" if "start_s" in progress else ""
    return f"went on from step {progress['from_step']:,}{took}"


def _left_s(attempt: ledger.Attempt) -> float:
    """Return the seconds that an attempt needs yet: by its own estimate, or by its pace since it was opened."""
    progress = attempt.progress
    if "left_s" in progress:
        return max(0.0, float(progress["left_s"]) - (time.time() - attempt.last))
    return (attempt.last - attempt.opened) * (float(progress["total"]) / float(progress["done"]) - 1)
