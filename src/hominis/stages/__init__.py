"""The table of contents: every stage's name, revision, inputs, and where its functions stand.

A stage's module has ``parts(section, inputs)``, ``work(section, inputs, part, scratch)`` and perhaps ``preload()``. It
is imported when one of them is called, so that reading this table costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hominis.store.types import Inputs, Part, Scratch, Stage, Summary

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@dataclass(frozen=True)
class _Module:
    name: str

    def parts(self, section: Any, inputs: Inputs) -> Sequence[Part]:
        found: Sequence[Part] = import_module(self.name).parts(section, inputs)
        return found

    def work(self, section: Any, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
        summary: Summary = import_module(self.name).work(section, inputs, part, scratch)
        return summary

    def preload(self) -> None:
        preload: Callable[[], None] | None = getattr(import_module(self.name), "preload", None)
        if preload:
            preload()


def _stage(name: str, revision: int, room: str, *inputs: str) -> Stage:
    module = _Module(f"hominis.{room}.{name}")
    return Stage(name, revision, inputs, module.parts, module.work, module.preload)


STAGES = {
    stage.name: stage
    for stage in (
        _stage("fetch", 1, "corpus"),
        _stage("annotate", 5, "corpus", "fetch"),
        _stage("deduplicate", 4, "corpus", "annotate"),
        _stage("questions", 1, "evaluate"),
        _stage("select", 4, "corpus", "fetch", "annotate", "deduplicate", "questions"),
        _stage("vocabulary", 1, "corpus", "select"),
        _stage("tokenise", 1, "corpus", "select", "vocabulary"),
        _stage("ngram", 1, "evaluate", "select", "tokenise"),
        _stage("adopt", 1, "train", "vocabulary"),
        _stage("pretrain", 2, "train", "tokenise", "vocabulary", "adopt"),
        _stage("decay", 1, "train", "pretrain", "tokenise", "vocabulary"),
        _stage("export", 2, "train", "pretrain", "decay", "vocabulary"),
        _stage("generate", 1, "evaluate", "export", "tokenise"),
        _stage("score", 1, "evaluate", "generate"),
    )
}
"""Every stage by name, in an order in which they can run."""


def of(run: RunConfig) -> dict[str, Stage]:
    """Return the stages of a run: one whose section is null is none of them, nor an input of another."""
    there = {name: stage for name, stage in STAGES.items() if getattr(run, name) is not None}
    return {
        name: replace(stage, inputs=tuple(upstream for upstream in stage.inputs if upstream in there))
        for name, stage in there.items()
    }
