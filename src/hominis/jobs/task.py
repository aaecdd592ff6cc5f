"""What a driver has to get done: one stage of one run, written down so that a job can read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hominis.config.slurm import Resources, SlurmSection
from hominis.errors import InputError
from hominis.store import files, receipts, run, whole
from hominis.store.site import Site
from hominis.store.types import Inputs, Part, Receipt, Settings, Stage


@dataclass(frozen=True)
class Task:
    """A stage of a run, with all of its parts.

    Attributes:
        source: ``commit`` and ``dirty`` of the code that runs.
        upstream: upstream stage → its stage receipt.
        jobs: how many parts may run at once on this machine.
        slurm: how jobs are run through Slurm and what they ask for; None: they run on this machine.
        logs: where the parts' own output goes, one file a part.
    """

    site: Site
    stage: Stage
    section: Settings
    settings: Mapping[str, Any]
    run: str
    source: Mapping[str, Any]
    upstream: Mapping[str, Receipt]
    jobs: int
    logs: Path
    slurm: tuple[SlurmSection, Resources] | None = None

    @cached_property
    def refs(self) -> dict[str, list[whole.Ref]]:
        """Upstream stage → its parts in the store."""
        return {name: whole.refs(self.site, receipt) for name, receipt in self.upstream.items()}

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The stage's parts by id, in its order."""
        inputs: Inputs = {name: whole.peek(self.site, name, refs) for name, refs in self.refs.items()}
        parts = {part.id: part for part in self.stage.parts(self.section, inputs)}
        if not parts:
            remedy = f"check the section `{self.stage.name}` of the config"
            raise InputError(f"{self.stage.name} has nothing to do: it lists no parts", remedy=remedy)
        return parts

    @cached_property
    def keys(self) -> dict[str, str]:
        """Part id → key."""
        return {id: run.key_of(self.stage, self.section, part, self.reads(part)) for id, part in self.parts.items()}

    @cached_property
    def key(self) -> str:
        """The key of the stage as a whole."""
        return whole.whole_key(self.stage, self.section, self.keys.values(), self.inputs)

    @cached_property
    def inputs(self) -> dict[str, list[str]]:
        """Upstream stage → digest of its stage receipt."""
        return {name: [receipts.digest(receipt)] for name, receipt in self.upstream.items()}

    @property
    def home(self) -> Path:
        """Where drivers keep what they know about this task."""
        return self.site.jobs(self.stage.name, self.key)

    def reads(self, part: Part) -> dict[str, list[tuple[str, str]]]:
        """Return upstream stage → (key, receipt digest) of what a part reads: all of a stage that it doesn't name."""
        chosen = {name: self._named(name, ids) for name, ids in part.inputs.items() if name in self.refs}
        return {name: [(r.key, r.digest) for r in chosen.get(name, refs)] for name, refs in self.refs.items()}

    def _named(self, stage: str, ids: Sequence[str]) -> list[whole.Ref]:
        """Return some parts of an upstream stage, in its order."""
        refs, places = self.refs[stage], self._places[stage]
        return [refs[place] for place in sorted({places[id] for id in ids if id in places})]

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        return {name: {ref.part: place for place, ref in enumerate(refs)} for name, refs in self.refs.items()}

    def missing(self) -> list[str]:
        """Return the ids of the parts that don't stand in the store."""
        present = self.site.present(self.stage.name)
        return [part for part, key in self.keys.items() if key not in present]

    def concluded(self) -> Receipt | None:
        """Return the stage's receipt if its artefact and all of its parts stand, None if something is to be made."""
        if self.missing():
            return None
        receipt, _ = whole.describe(self.site, self.stage, self.section, self.keys, self.inputs)
        return receipt if whole.stands(self.site, receipt) else None

    def conclude(self) -> Receipt:
        """Publish the stage's own artefact, all parts being there, and return its receipt."""
        return whole.conclude(self.site, self.stage, self.section, self.keys, self.inputs)

    def write(self) -> Path:
        """Write the task down for its jobs, and return the file."""
        parts = {
            id: {"key": self.keys[id], "params": dict(part.params), "inputs": self.reads(part)}
            for id, part in self.parts.items()
        }
        path = self.home / "task.json"
        what = {"root": str(self.site.root), "stage": self.stage.name, "run": self.run, "source": dict(self.source)}
        files.replace(path, json.dumps({**what, "section": self.settings, "parts": parts}))
        return path


def read_part(path: Path, part: str) -> tuple[dict[str, Any], Part, dict[str, list[tuple[str, str]]]]:
    """Return a written task (root, stage, run, section), one of its parts, and what that part reads."""
    task = json.loads(path.read_text())
    mine = task["parts"][part]
    reads = {name: [(key, digest) for key, digest in refs] for name, refs in mine["inputs"].items()}
    return task, Part(part, mine["params"]), reads


def stage_of(path: Path) -> str:
    """Return the stage of a written task."""
    return str(json.loads(path.read_text())["stage"])


def of_run(site: Site, run: str, stage: str) -> list[Path]:
    """Return the folders of the tasks that a run last asked for at a stage, oldest first."""
    paths = sorted((site.root / "jobs" / stage).glob("*/task.json"), key=lambda path: path.stat().st_mtime)
    return [path.parent for path in paths if _written(path).get("run") == run]


def keys_of(home: Path) -> dict[str, str]:
    """Return part id → key of a task's parts."""
    return {part: what["key"] for part, what in _written(home / "task.json")["parts"].items()}


def _written(path: Path) -> dict[str, Any]:
    try:
        task: dict[str, Any] = json.loads(path.read_text())
    except ValueError:  # its driver died while the disk was full
        return {}
    return task


def upstream(folder: Path, stages: Sequence[str]) -> dict[str, Receipt]:
    """Return the stage receipts of a run."""
    return {name: whole.load(folder / f"{name}.json") for name in stages}
