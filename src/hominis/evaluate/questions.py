"""The stage ``questions``: what evaluation will ask, for ``select`` to keep out of the text.

``bits_per_byte`` has no items: its questions are the run's own held-out documents, which deduplication keeps apart
from those to train on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from hominis.config.evaluate import QuestionsSection
from hominis.evaluate import humaneval
from hominis.store.types import Inputs, Part, Scratch, Summary


def parts(section: QuestionsSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per task.

    Raises:
        InputError: a task's data isn't installed.
    """
    data = {"humaneval": humaneval.digest}
    return [
        Part(task, {"task": task} | ({"data": data[task]()} if task in data else {}))
        for task in sorted(set(section.tasks))
    ]


def work(section: QuestionsSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``items.jsonl``: a line per item, ``task``, ``item`` (its name) and ``text`` (question and answer).

    Returns:
        Summary: the task and its number of items.
    """
    items = humaneval.solved() if part.id == "humaneval" else {}
    with (scratch.out / "items.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for name, text in items.items():
            file.write(json.dumps({"task": part.id, "item": name, "text": text}, ensure_ascii=False) + "\n")
    scratch.progress(len(items), len(items), "items")
    return {"task": part.id, "items": len(items)}
