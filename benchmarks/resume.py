"""What the start of a resumed job is spent on, up to the end of its first step.

    python -m benchmarks.resume [--times 5] [--model 20m] [--layout '{"tp": 2}']

Real ranks on this machine train on random tokens, are stopped, and are started again and again from the checkpoint:
each start is broken down as `hominis` records it for every attempt (`starts.jsonl`). Medians over the starts.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hominis.config.train import LayoutSection, PretrainSection
from hominis.corpus.indexed import ShardWriter
from hominis.errors import Interrupted
from hominis.store import receipts
from hominis.store.types import Artefact, Inputs, Part, Receipt
from hominis.store.work import Work
from hominis.train import pretrain, watch
from hominis.train.laps import FIRST_STEP
from hominis.train.tokenizer import END_OF_DOCUMENT

VOCABULARY, DOCUMENT, DOCUMENTS = 8192, 2000, 1000
SMALL = {"steps": 10_000, "epochs": 1e6, "schedule": {"warmup_steps": 10, "decay_steps": 10}}
MODELS = Path("workflow/config/models")


class Stopped(Work):
    """A scratch that asks to stop as soon as a step is reported."""

    def progress(self, done: float, total: float, unit: str, *, kept: float | None = None, **figures: float) -> None:
        """Ask."""
        self.stop()


def main(times: int, model: str, layout: str) -> None:
    """Measure and print."""
    shape = yaml.safe_load((MODELS / f"{model}.yaml").read_text())
    ways = LayoutSection.model_validate_json(layout)
    batch = {"global_batch": ways.dp, "micro_batch": 1}
    settings = {"model": shape, "layout": ways, "blend": {"random": 1.0}, **batch, **SMALL}
    section = PretrainSection.model_validate(settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = tokens(folder)
        for _ in range(times + 1):
            start(section, inputs, folder)
        starts = [json.loads(line) for line in (folder / "records" / watch.STARTS).read_text().splitlines()]
    report(starts[0], starts[1:])


def start(section: PretrainSection, inputs: Inputs, folder: Path) -> None:
    """Train from the newest checkpoint to the first step reported."""
    scratch = Stopped(folder / "scratch", folder / "records")
    assert not scratch.stopping  # who polls isn't interrupted
    try:
        pretrain.work(section, inputs, Part("all"), scratch)
    except Interrupted:
        return
    raise AssertionError("the run is over")


def tokens(folder: Path) -> Inputs:
    """Return random tokens, and a vocabulary as far as training looks at it."""
    chance, corpus = np.random.default_rng(1), folder / "random"
    corpus.mkdir()
    with ShardWriter(corpus / "train", VOCABULARY) as shard:
        shard.add([chance.integers(0, VOCABULARY, DOCUMENT, dtype=np.int32) for _ in range(DOCUMENTS)])
    vocabulary = folder / "vocabulary"
    vocabulary.mkdir()
    words = {"vocab": {str(token): token for token in range(1, VOCABULARY)}}
    end = [{"content": END_OF_DOCUMENT, "id": 0}]
    (vocabulary / "tokenizer.json").write_text(json.dumps({"model": words, "added_tokens": end}))
    train = {"documents": shard.documents, "tokens": shard.tokens, "bytes": 2 * shard.tokens}
    summary = {"corpus": "random", "train": train, "heldout": {"documents": 0, "tokens": 0, "bytes": 0}}
    words_made = Receipt("vocabulary", 1, "key", "all", {}, {}, {}, {}, {})
    made_with = {"vocabulary": (receipts.digest(words_made),)}
    shards = Receipt("tokenise", 1, "key", "random", {}, {}, made_with, {}, summary)
    return {"tokenise": [Artefact(corpus, shards)], "vocabulary": [Artefact(vocabulary, words_made)]}


def report(fresh: dict[str, Any], resumed: list[dict[str, Any]]) -> None:
    """Print the medians and the first start beside them."""
    print(f"{'seconds':<20}{'resumed':>10}{'range':>16}{'fresh':>10}")
    for name in resumed[0]["seconds"]:
        taken = [one["seconds"][name] for one in resumed]
        first = fresh["seconds"].get(name)
        row = f"{name:<20}{statistics.median(taken):>10.2f}{f'{min(taken):.2f} to {max(taken):.2f}':>16}"
        print(f"{row}{first:>10.2f}" if first is not None else row)
    totals = [sum(one["seconds"].values()) for one in resumed]
    print(f"{'up to the ' + FIRST_STEP:<20}{statistics.median(totals):>10.2f}, {len(resumed)} starts")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--model", default="20m")
    parser.add_argument("--layout", default="{}")
    given = parser.parse_args()
    main(given.times, given.model, given.layout)
