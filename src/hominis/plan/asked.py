"""A published shape asked about on the command line: what was left out is chosen, the rest computed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hominis.config.carbon import Factor
from hominis.errors import ConfigError
from hominis.plan.constants import FITTED, Constants
from hominis.plan.estimate import Estimate, estimate
from hominis.plan.hardware import Gpu, gpu
from hominis.plan.layouts import Candidate, Choice, Fixed, candidates
from hominis.plan.shapes import Precision
from hominis.plan.speed import step
from hominis.plan.training import Training
from hominis.plan.wanted import Wanted, shape

BATCH_TOKENS = 4 * 2**20
"""Tokens of a step where none are asked for: what Llama 2 took (arXiv:2307.09288)."""
TOKENS_PER_PARAMETER = 20
"""Tokens to train on where none are asked for (Hoffmann et al., arXiv:2203.15556)."""
PATIENCE_HOURS = 30 * 24
"""Where no number of GPUs is asked for: the fewest, a power of two, that end a run in thirty days."""
MOST_GPUS = 32768
WASTE = 1.1
"""... unless twice as many GPUs would need this many times the GPU-hours."""
PUE = Factor(value=1.1, low=1.05, high=1.2, source="planning value of this project for Leonardo; none is published")
INTENSITY = Factor(value=0.2875, low=0.2848, high=0.3367, source="Italy 2024: carbontracker; EcoLogits; eco2AI")
TOLERATED = 0.2
"""Relative difference from which on a shape is not the model of the size that was named."""


@dataclass(frozen=True)
class Asked:
    """A question; None is what the planner chooses.

    Attributes:
        fused: attention in one kernel (2022 on), else as Megatron-LM had it in 2021, with dropout and everything
            recomputed; None: fused unless the precision is fp16, which has been rare since.
    """

    wanted: Wanted
    gpu: str = "a100-64gb"
    gpus: int | None = None
    batch: int | None = None
    tokens_b: float | None = None
    precision: Precision = "bf16"
    fused: bool | None = None
    fixed: Fixed = field(default_factory=Fixed)
    pue: Factor = PUE
    intensity: Factor = INTENSITY


@dataclass(frozen=True)
class Answer:
    """The estimate for the fastest layout, the other layouts, and remarks on what was assumed."""

    estimate: Estimate
    choice: Choice
    notes: list[str]


def answer(asked: Asked, constants: Constants = FITTED) -> Answer:
    """Return the estimate for what was asked.

    Raises:
        ConfigError: the shape, or the layout that was asked for, is none that can be; the nearest that can is named.
    """
    machine = gpu(asked.gpu)
    if asked.precision not in machine.peak:
        raise ConfigError(f"{machine.name} has no {asked.precision}", remedy=f"one of {', '.join(machine.peak)}")
    counts = [asked.gpus] if asked.gpus else _counts(machine.per_node)
    tried: list[Answer] = []
    for training in (_training(asked, machine, gpus) for gpus in counts):
        tried += _answers(asked, training, constants)
        if len(tried) > 1 and _enough(tried[-2], tried[-1]):
            return tried[-2]
    if not tried:
        raise _impossible(asked, _training(asked, machine, counts[0]))
    return tried[-1]


def _training(asked: Asked, machine: Gpu, gpus: int) -> Training:
    modern = asked.precision != "fp16" if asked.fused is None else asked.fused
    one = replace(shape(asked.wanted), dropout=not modern)
    batch = asked.batch or _batch(one.sequence, gpus)
    return Training(one, machine, gpus, batch, asked.precision, flash=modern, lean=asked.precision == "fp8")


def _enough(fewer: Answer, more: Answer) -> bool:
    """Return whether the fewer GPUs do: they end in time, or twice as many would waste too much."""
    if not fewer.estimate.fits.value:
        return False
    wasted = more.estimate.gpu_hours.value / fewer.estimate.gpu_hours.value
    return fewer.estimate.wall_hours.value <= PATIENCE_HOURS or wasted > WASTE


def _answers(asked: Asked, training: Training, constants: Constants) -> list[Answer]:
    """Return the answer for a number of GPUs; none if no layout divides there."""
    notes = _remarks(asked, training)
    choice = candidates(training, _fixed(asked, training), constants)
    best = choice.ranked[0] if choice.ranked else _smallest(training, choice)
    if best is None:
        return []
    tokens = asked.tokens_b * 1e9 if asked.tokens_b else float(TOKENS_PER_PARAMETER * training.shape.active_parameters)
    return [Answer(estimate(training, best, tokens, asked.pue, asked.intensity, constants), choice, notes)]


def _fixed(asked: Asked, training: Training) -> Fixed:
    if training.flash or asked.fixed.recompute not in (None, "full"):
        return asked.fixed
    return replace(asked.fixed, recompute="full", distributed_optimizer=False)


def _smallest(training: Training, choice: Choice) -> Candidate | None:
    """Return the layout that needs least memory where none fits; None where none divides either."""
    needs = [(one.layout, one.memory) for one in choice.refused if one.memory]
    if not needs:
        return None
    layout, need = needs[0]
    return Candidate(layout, need, step(training, layout))


def _impossible(asked: Asked, training: Training) -> ConfigError:
    """Return the error for a layout that doesn't divide, with the nearest values that do."""
    fixed, hints = _fixed(asked, training), []
    for name in ("tp", "pp", "vp", "cp", "ep", "micro_batch"):
        said, freed = getattr(fixed, name), {name: None}
        if said and (near := _nearest(training, replace(fixed, **freed), name, said)):  # type: ignore[arg-type]
            hints.append(f"{name} {' or '.join(map(str, near))}")
    refused = candidates(training, fixed).refused
    return ConfigError(
        refused[0].reason if refused else f"no layout has {training.gpus} ranks",
        where=f"{training.gpus} GPUs, global batch {training.batch}",
        remedy=f"what divides next: {'; '.join(hints)}" if hints else "another number of GPUs or global batch",
    )


def _nearest(training: Training, freed: Fixed, name: str, said: int) -> list[int]:
    choice = candidates(training, freed)
    layouts = [one.layout for one in choice.ranked] + [one.layout for one in choice.refused if one.memory]
    valid = sorted({getattr(layout, name) for layout in layouts}, key=lambda value: abs(value - said))
    return sorted(valid[:2])


def _counts(per_node: int) -> list[int]:
    """Return the numbers of GPUs to try: whole nodes, doubled each time."""
    counts = [per_node]
    while counts[-1] < MOST_GPUS:
        counts.append(counts[-1] * 2)
    return counts


def _batch(sequence: int, gpus: int) -> int:
    """Return sequences of a step near ``BATCH_TOKENS`` that many layouts on ``gpus`` can share out."""
    unit = gpus // 8 if gpus % 8 == 0 else gpus
    return max(round(BATCH_TOKENS / sequence / unit), 1) * unit


def _remarks(asked: Asked, training: Training) -> list[str]:
    one, notes = training.shape, []
    named = asked.wanted.params_b
    if named and abs(one.parameters / 1e9 / named - 1) > TOLERATED:
        raise ConfigError(
            f"this shape has {one.parameters / 1e9:.2f} billion parameters, not {named}",
            where="--params-b against --layers, --hidden, --ffn, --vocab, --experts",
            remedy="leave --params-b out, or let the planner choose --layers or --ffn",
        )
    if not training.flash:
        notes.append("as Megatron-LM was in 2021 (fp16): attention unfused, dropout, everything recomputed unless said")
    if asked.precision == "fp8":
        notes.append("fp8 as NeMo's recipes have it: weights kept in fp8, gradients added up in bf16")
    if asked.tokens_b is None:
        notes.append(f"tokens: {TOKENS_PER_PARAMETER} a parameter (arXiv:2203.15556)")
    if asked.intensity is INTENSITY:
        notes.append(f"intensity {INTENSITY.value} kg/kWh ({INTENSITY.low} to {INTENSITY.high}): {INTENSITY.source}")
    if asked.pue is PUE:
        notes.append(f"PUE {PUE.value} ({PUE.low} to {PUE.high}): {PUE.source}")
    return notes
