"""The plan of a whole run: its own layout and others, time, cost, failures, tokens and budget.

Pure: what is on disk (a tokenizer, tokenised corpora) comes in as numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hominis.carbon.costs import Spread
from hominis.config.run import RunConfig
from hominis.errors import ConfigError, InputError
from hominis.plan import scaling
from hominis.plan.budget import Verdict, verdicts
from hominis.plan.estimate import Estimate, estimate, scaled
from hominis.plan.hardware import gpu
from hominis.plan.judge import judge, nearest, reason_of
from hominis.plan.layouts import RECOMPUTE, Candidate, Choice, Refused, candidates
from hominis.plan.memory import Memory, memory
from hominis.plan.shapes import Shape
from hominis.plan.stops import Stops, stops_of
from hominis.plan.training import Layout, Training
from hominis.plan.vocabulary import vocabularies
from hominis.train.blend import check_epochs, epochs
from hominis.train.schedule import consumed


@dataclass(frozen=True)
class Data:
    """A corpus of the blend: its tokens, and how often the run sees each."""

    corpus: str
    tokens: int
    epochs: float


@dataclass(frozen=True)
class RunPlan:
    """What a run would take.

    Attributes:
        steps, tokens: of pretraining, with those of the branched-off decay.
        own: the configured layout; a ``Refused`` if it does not divide or fit.
        ways: memory of the configured layout by what is recomputed; empty if it does not divide.
        choice: all layouts on the same number of GPUs with the same batch.
        nearest: layouts that can be, those most like the configured one first; where that one is refused.
        estimate: of the configured layout, else of the fastest; None if none can be.
        charged_hours: GPU-hours that the site charges, whole nodes.
        data: by corpus of the blend; empty while nothing is tokenised.
    """

    run: RunConfig
    training: Training
    steps: int
    tokens: float
    own: Candidate | Refused
    ways: dict[str, Memory]
    choice: Choice
    nearest: list[Candidate]
    estimate: Estimate | None
    charged_hours: Spread | None
    stops: Stops | None
    advice: list[scaling.Advice]
    vocabularies: dict[str, float]
    data: list[Data]
    verdicts: list[Verdict]

    @property
    def core_hours(self) -> Spread | None:
        """What the site's accounting charges."""
        hours, price = self.charged_hours, self.run.plan.core_hours_per_gpu_hour
        return scaled(hours, price) if hours else None

    @property
    def rank(self) -> int:
        """Place of the configured layout, from 1, the fastest first and tight ones last; 0 if it is refused."""
        if isinstance(self.own, Refused):
            return 0
        own = self._order(self.own)
        return sum(self._order(one) < own for one in self.choice.ranked) + 1

    def _order(self, one: Candidate) -> tuple[bool, float]:
        return one.memory.high > self.training.gpu.memory, one.step.seconds

    @property
    def reasons(self) -> Counter[str]:
        """Why layouts were refused: reason, its figures left out → how many."""
        return Counter(reason_of(refused) for refused in self.choice.refused)

    @property
    def problems(self) -> list[str]:
        """Why the run should not start as it is configured."""
        found = []
        if isinstance(self.own, Refused):
            found += [f"pretrain.layout {self.own.layout.text()}: {self.own.reason}"]
        try:
            if self.data:
                check_epochs(self.run.pretrain, {one.corpus: one.tokens for one in self.data})
        except InputError as error:
            found += [f"{error.problem}\n    {error.remedy}"]
        if not self.run.budget.exceed:
            found += [f"budget.{verdict.name}: {verdict}" for verdict in self.verdicts if verdict.over]
        return found


def plan(run: RunConfig, vocab_size: int | None = None, at_hand: Mapping[str, int] | None = None) -> RunPlan:
    """Return the plan of a run.

    Args:
        vocab_size: the tokenizer's, if there is one; else what ``vocabulary.vocab_size`` asks for.
        at_hand: corpus → its tokens for training, if they are tokenised.

    Raises:
        ConfigError: the GPU is unknown or lacks the precision, or a segment leaves no time to train.
        InputError: corpora are tokenised, but none of the blend.
    """
    training = _training(run, vocab_size or run.vocabulary.vocab_size)
    steps, tokens = _length(run)
    own, choice = judge(training, Layout.of(run.pretrain)), candidates(training)
    taken = own if isinstance(own, Candidate) else next(iter(choice.ranked), None)
    made, stops = _priced(run, training, taken, steps, tokens) if taken else (None, None)
    size, seen = _size(training.shape), float(run.pretrain.model.sequence * consumed(run.pretrain, run.pretrain.steps))
    charged = run.training_nodes * run.slurm.tasks_per_node / training.gpus
    return RunPlan(
        run=run,
        training=training,
        steps=steps,
        tokens=tokens,
        own=own,
        ways={way: memory(training, replace(own.layout, recompute=way)) for way in RECOMPUTE} if own.memory else {},
        choice=choice,
        nearest=nearest(own.layout, choice) if isinstance(own, Refused) else [],
        estimate=made,
        charged_hours=scaled(made.gpu_hours, max(charged, 1)) if made else None,
        stops=stops,
        advice=scaling.advise(size, seen),
        vocabularies=vocabularies(size, seen),
        data=_data(run, at_hand) if at_hand else [],
        verdicts=verdicts(run.budget, made.gpu_hours, made.tco2e) if made else [],
    )


def _training(run: RunConfig, vocab_size: int) -> Training:
    section, chosen = run.pretrain, gpu(run.plan.gpu)
    if section.precision not in chosen.peak:
        raise ConfigError(
            f"{chosen.name} has no {section.precision}",
            where="pretrain.precision",
            remedy=f"it has {', '.join(chosen.peak)}",
        )
    shape = Shape.of(section.model, vocab_size, section.layout.tp)
    flash = section.kernels != "unfused"
    return Training(shape, chosen, section.layout.world, section.global_batch, section.precision, flash)


def _length(run: RunConfig) -> tuple[int, float]:
    """Return steps and tokens, those of a branched-off decay included."""
    section, more = run.pretrain, run.decay.steps if run.decay else 0
    sequences = consumed(section, section.steps) + more * section.global_batch
    return section.steps + more, float(sequences * section.model.sequence)


def _priced(run: RunConfig, training: Training, taken: Candidate, steps: int, tokens: float) -> tuple[Estimate, Stops]:
    """Return what the run takes in a layout, longer than estimated if its stops take more than published runs' did."""
    made = estimate(training, taken, tokens, run.account.pue, run.account.intensity_kg_per_kwh)
    stops = stops_of(run, made, steps)
    more = max(stops.loss.wall_s / 3600 / made.wall_hours.value, 1.0)
    longer = replace(
        made,
        gpu_hours=scaled(made.gpu_hours, more),
        wall_hours=scaled(made.wall_hours, more),
        energy_kwh=scaled(made.energy_kwh, more),
        tco2e=scaled(made.tco2e, more),
    )
    return longer, stops


def _size(shape: Shape) -> scaling.Size:
    embeddings = shape.embedding_weights * (1 if shape.tied else 2)
    return scaling.Size(shape.active_parameters, embeddings, shape.layers, shape.hidden, shape.sequence)


def _data(run: RunConfig, at_hand: Mapping[str, int]) -> list[Data]:
    return [Data(corpus, at_hand[corpus], times) for corpus, times in epochs(run.pretrain, at_hand).items()]
