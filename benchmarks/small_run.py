"""A training run of the quickstart's size over made-up tokens, for the benchmarks of the trainer's inside.

A benchmark is a module with ``rank(brief)``, which all ranks of the run call, and of which rank 0 returns the figures.
"""

import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hominis.config.train import PretrainSection
from hominis.train import launch, lifeline
from hominis.train.blend import Source
from hominis.train.brief import Brief

QUICKSTART = Path(__file__).parents[1] / "workflow" / "config" / "quickstart.yaml"
TOKENS = {"arxiv": 333_140, "code": 3_680_314, "italian": 759_852, "web": 1_712_623}
"""The quickstart's corpora."""
DOCUMENT, VOCABULARY = 3000, 4096
FIGURES = "figures.json"


def figures(module: str, steps: int, **changes: Any) -> Any:
    """Start the ranks of a run of ``steps`` steps and return what ``module`` found in them."""
    quickstart = yaml.safe_load(QUICKSTART.read_text())["pretrain"]
    longest = {"steps": max(steps, quickstart["steps"]), "checkpoint_every": 10**6, "epochs": 1000.0}
    section = PretrainSection.model_validate({**quickstart, **longest, **changes})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        sources = tuple(
            Source(corpus, _tokens(folder / corpus, corpus), "", section.blend[corpus]) for corpus in TOKENS
        )
        brief = Brief(section, sources, VOCABULARY, 0, checkpoints=folder, out=folder / "out")
        brief.write(folder / "brief.json")
        arguments = [module, str(folder / "brief.json"), str(steps)]
        ranks = launch.Launch("benchmarks.small_run", arguments, section.layout.world, section.threads, folder)
        launch.run(ranks, poll=lambda: None, stopping=lambda: False)
        return json.loads((folder / FIGURES).read_text())


def _tokens(prefix: Path, corpus: str) -> str:
    from hominis.corpus.indexed import ShardWriter

    chance = np.random.default_rng(len(corpus))
    with ShardWriter(prefix, VOCABULARY) as writer:
        for _ in range(TOKENS[corpus] // DOCUMENT):
            writer.add([chance.integers(0, VOCABULARY, DOCUMENT).tolist()])
    return str(prefix)


def main(module: str, path: str, steps: str) -> int:
    """Be a rank."""
    from hominis.train.process import distributed

    brief = Brief.read(Path(path))
    section = brief.section
    with distributed(section.layout, section.threads, section.seed):
        found = import_module(module).rank(brief, int(steps))
    if int(os.environ["RANK"]) == 0:
        (brief.checkpoints / FIGURES).write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    from hominis.train.process import guarded

    lifeline.hold_on()
    sys.exit(guarded(lambda: main(*sys.argv[1:])))
