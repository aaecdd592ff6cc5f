"""The plan of a whole run: its own layout and others, time, cost, failures, tokens and budget.

Pure: what is on disk (a tokenizer, tokenised corpora) comes in as numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hominis.carbon.costs import Spread
from hominis.config.run import RunConfig
from hominis.errors import ConfigError
from hominis.plan import scaling
from hominis.plan.budget import Verdict, verdicts
from hominis.plan.estimate import Estimate, estimate, scaled
from hominis.plan.hardware import gpu
from hominis.plan.layouts import RECOMPUTE, Candidate, Choice, Refused, candidates, clash, too_large
from hominis.plan.memory import Memory, memory
from hominis.plan.shapes import Shape
from hominis.plan.speed import step
from hominis.plan.stops import Stops, stops_of
from hominis.plan.training import Layout, Training
from hominis.plan.vocabulary import vocabularies
from hominis.train.schedule import consumed

NEAREST = 3


@dataclass(frozen=True)
class Data:
    """What of a corpus there is and what the run takes of it; ``epochs``: how often it is seen."""

    corpus: str
    tokens: int
    wanted: float

    @property
    def epochs(self) -> float:
        """Passes over the corpus."""
        return self.wanted / self.tokens if self.tokens else math.inf


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
        """Place of the configured layout among those that fit, from 1; 0 if it is refused."""
        faster = [one for one in self.choice.ranked if _seconds(one) < _seconds(self.own)]
        return len(faster) + 1 if isinstance(self.own, Candidate) else 0

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
        short = [f"{one.corpus} ({one.epochs:.3g} times)" for one in self.data if one.epochs > 1]
        if short:
            found += [f"pretrain.blend is shorter than the run; it would see {', '.join(short)}"]
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
    """
    training = _training(run, vocab_size or run.vocabulary.vocab_size)
    steps, tokens = _length(run)
    own, choice = judge(training, Layout.of(run.pretrain)), candidates(training)
    nearest = _nearest(run, choice) if isinstance(own, Refused) else []
    taken = own if isinstance(own, Candidate) else next(iter(choice.ranked), None)
    made, stops = _priced(run, training, taken, steps, tokens) if taken else (None, None)
    size = _size(training.shape)
    charged = run.training_nodes * run.slurm.tasks_per_node / training.gpus
    return RunPlan(
        run=run,
        training=training,
        steps=steps,
        tokens=tokens,
        own=own,
        ways={way: memory(training, replace(own.layout, recompute=way)) for way in RECOMPUTE} if own.memory else {},
        choice=choice,
        nearest=nearest,
        estimate=made,
        charged_hours=scaled(made.gpu_hours, max(charged, 1)) if made else None,
        stops=stops,
        advice=scaling.advise(size, tokens),
        vocabularies=vocabularies(size, tokens),
        data=_data(run, tokens, at_hand),
        verdicts=verdicts(run.budget, made.gpu_hours, made.tco2e) if made else [],
    )


def judge(training: Training, layout: Layout) -> Candidate | Refused:
    """Return a layout with its memory and step, or why it cannot be."""
    if reason := clash(training, layout):
        return Refused(layout, reason)
    need = memory(training, layout)
    if need.total > training.gpu.memory:
        return too_large(training, layout, need)
    return Candidate(layout, need, step(training, layout))


def reason_of(refused: Refused) -> str:
    """Return why a layout was refused, without the figures of the case."""
    if refused.memory:
        return "memory"
    first = refused.reason.split("; ")[0]
    return " ".join(word for word in first.split() if not word.strip("·=,:").isdigit()).rstrip(" =")


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


def _nearest(run: RunConfig, choice: Choice) -> list[Candidate]:
    """Return the layouts that can be that differ least from the configured one, by factors of two."""
    wanted = Layout.of(run.pretrain)

    def apart(one: Candidate) -> float:
        names = ("tp", "pp", "vp", "cp", "ep", "micro_batch")
        sizes = sum(abs(math.log2(getattr(one.layout, name) / getattr(wanted, name))) for name in names)
        return sizes + 0.5 * (one.layout.recompute != wanted.recompute)

    return sorted(choice.ranked, key=lambda one: (apart(one), _seconds(one)))[:NEAREST]


def _seconds(one: Candidate | Refused) -> float:
    return one.step.seconds if isinstance(one, Candidate) else math.inf


def _size(shape: Shape) -> scaling.Size:
    embeddings = shape.embedding_weights * (1 if shape.tied else 2)
    return scaling.Size(shape.active_parameters, embeddings, shape.layers, shape.hidden, shape.sequence)


def _data(run: RunConfig, tokens: float, at_hand: Mapping[str, int] | None) -> list[Data]:
    """Return what of each corpus of the blend is at hand; a corpus that isn't is dropped, as training does."""
    if not at_hand:
        return []
    used = {corpus: share for corpus, share in run.pretrain.blend.items() if share > 0 and at_hand.get(corpus)}
    total = math.fsum(used.values())
    return [Data(corpus, at_hand[corpus], tokens * share / total) for corpus, share in sorted(used.items())]
