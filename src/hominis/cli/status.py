"""``hominis status``: what runs, where, since when, how far, what remains."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.common import json_option, run_option, site_of
from hominis.jobs.progress import duration, shown
from hominis.stages import STAGES
from hominis.stages.standing import StageStanding, standing
from hominis.store import ledger
from hominis.store.owner import describe

if TYPE_CHECKING:
    from hominis.config.run import RunConfig
    from hominis.store.site import Site


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
    stages = [_stage(run, site, name, stands.get(name)) for name in STAGES]
    page = run.page
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical({"run": run.run, "stages": stages, "report": str(page) if page.exists() else None}))
        return
    click.echo(f"{run.run}: {sum(s['state'] == 'done' for s in stages)} of {len(stages)} stages done")
    for stage in stages:
        click.echo(f"  {stage['stage']:<12}{stage['state']:<9}{_parts(stage)}")
        for attempt in stage["running"]:
            pieces = [attempt[name] for name in ("progress", "remains", "where", "since") if attempt[name]]
            click.echo(f"      {attempt['part']}: {' · '.join(pieces)}")
    if page.exists():
        click.echo(f"report: {page}")


def _parts(stage: dict[str, Any]) -> str:
    counted = f"{stage['present']}/{stage['parts']} parts" if stage["parts"] else ""
    return " · ".join(piece for piece in (counted, stage["why"]) if piece)


def _stage(run: RunConfig, site: Site, name: str, stands: StageStanding | None) -> dict[str, Any]:
    row: dict[str, Any] = {"stage": name, "state": "to do", "parts": 0, "present": 0, "running": [], "why": ""}
    if stands:
        state = "stale" if stands.problem else "done"
        return row | {"state": state, "parts": len(stands.refs), "present": stands.present, "why": stands.problem}
    keys = _newest_task(site, run.run, name)
    if not keys:
        return row
    running = [a for a in ledger.read(site.root, keys.values()) if a.outcome is None]
    present = len(set(keys.values()) & site.present(name))
    state = "running" if running else "stopped"
    return row | {"state": state, "parts": len(keys), "present": present, "running": [_running(a) for a in running]}


def _newest_task(site: Site, run: str, stage: str) -> dict[str, str]:
    """Return part id → key of the last task that a driver of this run wrote down for a stage."""
    paths = sorted((site.root / "jobs" / stage).glob("*/task.json"), key=lambda path: path.stat().st_mtime)
    tasks = [task for task in map(_read, paths) if task.get("run") == run]
    return {part: what["key"] for part, what in tasks[-1]["parts"].items()} if tasks else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        task: dict[str, Any] = json.loads(path.read_text())
    except ValueError:  # its driver died while the disk was full
        return {}
    return task


def _running(attempt: ledger.Attempt) -> dict[str, Any]:
    elapsed, progress = time.time() - attempt.opened, attempt.progress
    row = {"part": attempt.part, "where": describe(attempt.owner), "since": f"for {duration(elapsed)}"}
    if not progress or not progress["done"]:
        return row | {"progress": "started", "remains": ""}
    left = (attempt.last - attempt.opened) * (progress["total"] / progress["done"] - 1)
    return row | {"progress": shown(progress), "remains": f"about {duration(left)} left"}
