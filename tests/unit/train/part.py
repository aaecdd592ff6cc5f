"""A part of ``pretrain`` as a process of its own, as a job runs it: ``python -m tests.unit.train.part ORDER``.

It works in a real scratch, hears stop signals, leaves its last progress, and ends with 75 if it is to be resumed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from hominis.config.train import PretrainSection
from hominis.errors import Interrupted
from hominis.store.types import Artefact, Inputs, Part, Receipt
from hominis.store.work import Work, stop_signals
from hominis.train import pretrain

LATEST = "latest.json"


def order(settings: PretrainSection, inputs: Inputs, folder: Path) -> Path:
    """Write down what to train, from what and where; returns the file."""
    upstream = {name: [(str(a.path), asdict(a.receipt)) for a in made] for name, made in inputs.items()}
    path = folder / "order.json"
    path.write_text(json.dumps([settings.model_dump(mode="json"), upstream, str(folder)]))
    return path


def main(path: str) -> int:
    settings, upstream, folder = json.loads(Path(path).read_text())
    inputs = {name: [Artefact(Path(at), Receipt(**receipt)) for at, receipt in made] for name, made in upstream.items()}
    scratch = Work(Path(folder), Path(folder) / "records")
    try:
        with stop_signals(scratch):
            pretrain.work(PretrainSection.model_validate(settings), inputs, Part("all"), scratch)
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 75
    finally:
        (Path(folder) / LATEST).write_text(json.dumps(scratch.latest))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
