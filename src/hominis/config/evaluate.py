"""Settings of the stages that measure a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hominis.config.base import Section, unkeyed

Task = Literal["bits_per_byte", "humaneval"]


class QuestionsSection(Section):
    """Which tasks' items no selected document may hold."""

    tasks: tuple[Task, ...] = unkeyed((), description="As `generate.tasks`, which say it: leave it out.")

    def of(self, asked: tuple[Task, ...]) -> QuestionsSection:
        """Return the section with the tasks of ``generate``.

        Raises:
            ValueError: it names others.
        """
        if self.tasks and set(self.tasks) != set(asked):
            named, known = (", ".join(sorted(set(tasks))) for tasks in (self.tasks, asked))
            raise ValueError(f"questions.tasks: {named}, but generate.tasks: {known}; leave questions.tasks out")
        return self.model_copy(update={"tasks": asked})


class NgramSection(Section):
    """The byte n-gram models that a language model has to beat: nothing to choose but the pace."""

    batch_bytes: int = unkeyed(16_000_000, ge=1, description="Training text counted at a time.")


class GenerateSection(Section):
    """What the exported model is asked, by lm-eval on the CPU in fp32."""

    tasks: tuple[Task, ...] = unkeyed(("bits_per_byte", "humaneval"), min_length=1, description="Tasks to run.")
    max_bytes: int = Field(
        200_000, ge=1, description="bits_per_byte: held-out text per corpus, whole documents up to about this much."
    )
    items: int = Field(164, ge=1, le=164, description="humaneval: problems, from the first.")
    max_new_tokens: int = Field(512, ge=1, description="humaneval: bound on a completion; upstream's task has 1024.")
    batch_size: int = Field(
        16, ge=1, description="Requests per forward pass; keyed, for another batch shape may round otherwise."
    )
    threads: int = unkeyed(0, ge=0, description="Threads of torch; 0: one per core.")


class ScoreSection(Section):
    """How samples become scores with error bands."""

    cpu_seconds: int = Field(8, ge=1, description="CPU time that a candidate program may use.")
    wall_seconds: int = Field(60, ge=1, description="Backstop for a program that sleeps: it can't decide under load.")
    memory_bytes: int = Field(1 << 30, ge=1 << 26, description="Address space of a candidate program.")
    resamples: int = Field(2_000, ge=100, description="Bootstrap resamples of the bits-per-byte bands.")
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.")
    workers: int = unkeyed(2, ge=1, description="Candidate programs run at a time.")
