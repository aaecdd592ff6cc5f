"""Runs whose first stage has many cheap parts: as many small files of this machine to fetch."""

import csv
import hashlib
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from tests.workflow import tiny

from hominis.cli.stage import task_of
from hominis.config.run import load
from hominis.jobs import intents
from hominis.jobs.task import Task
from hominis.stages import STAGES
from hominis.store import artefacts
from hominis.store.run import PUBLISHED, run_part

FETCH = STAGES["fetch"]


def write_run(folder: Path, parts: int, name: str = "s", **settings: Any) -> Path:
    """Write the files (their names begin with ``name``), their table and a run's configuration; returns that."""
    raw, table = folder / "raw", folder / "sources.csv"
    raw.mkdir(parents=True)
    rows = [_source(raw / f"{name}{i:05}.jsonl") for i in range(parts)]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    run = tiny.settings(table)
    run["select"]["policies"] = {"web": run["select"]["policies"]["web"]}
    run["pretrain"]["blend"] = {"web": 1.0}
    run["site"] = {"root": str(folder / "site"), "results": str(folder / "results")}
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(run | settings))
    return config


def _source(path: Path) -> dict[str, Any]:
    data = f'{{"id": "{path.stem}", "text": "document {path.stem}"}}\n'.encode()
    path.write_bytes(data)
    what = {"name": path.stem, "corpus": "web", "kind": "file", "locator": str(path), "file": path.name}
    return {**what, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "licence": "CC0-1.0"}


def task(config: Path) -> Task:
    """Return what there is to fetch for a run."""
    return task_of(load(config), FETCH, 1)


def publish(config: Path, processes: int = 2) -> int:
    """Make every artefact by the store's own road, but without a job each; returns how many."""
    with ProcessPoolExecutor(processes) as pool:
        return sum(pool.map(partial(_publish, config, processes), range(processes)))


def _publish(config: Path, step: int, first: int) -> int:
    what = task(config)
    mine = list(what.parts.values())[first::step]
    made = [run_part(what.site, FETCH, what.section, part, {}, run=what.run) for part in mine]
    return made.count(PUBLISHED)


def lose(config: Path, names: Collection[str]) -> None:
    """Take these parts' artefacts out of the store."""
    what = task(config)
    for name in names:
        artefacts.retire(what.site, FETCH.name, what.keys[name])


def submitted(config: Path) -> list[tuple[str, ...]]:
    """Return the parts of each array that was submitted, oldest first."""
    return [intent.parts for intent in intents.every(task(config).home)]
