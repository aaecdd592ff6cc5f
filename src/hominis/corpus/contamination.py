"""Which documents hold what a model will be asked: runs of 13 words (Brown et al. 2020, arXiv:2005.14165, appendix C).

Words are those of the normalised text: without ASCII punctuation, in lower case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from hominis.corpus.kernels.ngrams import first_runs, runs_of
from hominis.corpus.kernels.normalise import normalise, normalised
from hominis.corpus.kernels.texts import texts_of
from hominis.store.types import Json

RUN = 13
"""Words that a document and an item must share, in their order."""
LEAST = 8
"""A shorter item is sought as a whole; of fewer words than this it can't be decided, for many texts have these."""

Item = tuple[str, str, str]
"""Of an evaluation task's item the task, its own name and its text."""


class Contamination:
    """The items that no document may hold.

    Attributes:
        items: items by task.
        undecidable: those that are too short to be sought, by task.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        given = list(items)
        normal = normalised(texts_of(pa.array([text for _, _, text in given], pa.large_string())))
        words = np.diff(normal.words)
        self.items = Counter(task for task, _, _ in given)
        self.undecidable = Counter(given[number][0] for number in np.flatnonzero(words < LEAST))
        self._names = pl.DataFrame([item[:2] for item in given], {"task": pl.String, "item": pl.String}, orient="row")
        self._runs = runs_of(normal.texts, words, RUN, LEAST)

    def told(self, tasks: Iterable[str]) -> dict[str, Json]:
        """Return for each task ``items``, those ``undecidable``, and ``documents``: how often ``tasks`` names it."""
        found = Counter(tasks)
        return {
            task: {"items": number, "undecidable": self.undecidable[task], "documents": found[task]}
            for task, number in sorted(self.items.items())
        }

    def touched(self, texts: pa.Array) -> pl.DataFrame:
        """Return a row for each text that holds an item: ``row`` (its place), ``task``, ``item``, ``words`` shared.

        Of several runs of words that are an item's, the first in the text counts; of several items, the first given.
        """
        slots = first_runs(self._runs, normalise(texts_of(texts)))
        rows = np.flatnonzero(slots >= 0)
        slots = slots[rows]
        ranges = zip(self._runs.begins[slots], self._runs.ends[slots], strict=True)
        words = [self._runs.data[begin:end].tobytes().decode() for begin, end in ranges]
        found = pl.DataFrame({"row": rows, "words": words}, {"row": pl.Int64, "words": pl.String})
        names = self._names[self._runs.texts[slots]]
        return pl.concat([found, names], how="horizontal").select("row", "task", "item", "words")
