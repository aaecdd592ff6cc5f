"""Ranks that train several runs one after the other: ``python -m tests.unit.train.several BRIEF…``.

To import torch and megatron takes longer than to train a tiny model.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from hominis.config.train import PretrainSection
from hominis.store.types import Inputs
from hominis.train import launch, lifeline
from hominis.train.blend import blend_sources
from hominis.train.brief import Brief
from hominis.train.children import RENDEZVOUS
from hominis.train.process import guarded
from tests.unit.train.conftest import VOCABULARY, Folder


def train(
    runs: Mapping[str, PretrainSection], inputs: Inputs, root: Path, resume: Mapping[str, Path] = MappingProxyType({})
) -> dict[str, Folder]:
    """Train ``runs``, all of the same number of ranks, from the checkpoints in ``resume``; return their folders."""
    folders = {name: Folder(root / name.replace(" ", "-")) for name in runs}
    paths = [_order(runs[name], inputs, folder, resume.get(name)) for name, folder in folders.items()]
    worlds = {settings.layout.world for settings in runs.values()}
    ranks = launch.Launch("tests.unit.train.several", list(map(str, paths)), worlds.pop(), 1, root)
    launch.run(ranks, poll=lambda: None, stopping=lambda: False)
    return folders


def _order(settings: PretrainSection, inputs: Inputs, folder: Folder, resume: Path | None) -> Path:
    sources = blend_sources(settings.blend, inputs["tokenise"], settings.model.sequence)[0]
    path = folder.root / "brief.json"
    brief = Brief(settings, tuple(sources), VOCABULARY, 0, folder.checkpoints, folder.out, str(resume or ""))
    brief.write(path)
    return path


def main(paths: list[str]) -> int:
    from hominis.train import trainer

    meeting = os.environ[RENDEZVOUS]
    for number, path in enumerate(paths):
        os.environ[RENDEZVOUS] = f"{meeting}.{number}"
        if code := trainer.train(Path(path)):
            return code
    return 0


if __name__ == "__main__":
    lifeline.hold_on()
    sys.exit(guarded(lambda: main(sys.argv[1:])))
