"""A run's plan as lines for people."""

from __future__ import annotations

from hominis.carbon.costs import Spread
from hominis.plan.budget import amount
from hominis.plan.estimate import Estimate
from hominis.plan.judge import reason_of
from hominis.plan.layouts import Candidate, Refused
from hominis.plan.memory import Memory
from hominis.plan.run import RunPlan
from hominis.plan.stops import Stops
from hominis.train.blend import worn

SHOWN = 4
"""Layouts and reasons that are printed; JSON has all."""


def page(plan: RunPlan) -> str:
    """Return the plan on one screen."""
    rows = [_head(plan), ""]
    rows += [f"{label:<10}{text}" for label, text in _facts(plan)]
    rows += ["", *_layouts(plan), "", *_laws(plan)]
    rows += ["", "Ranges hold most published runs; nothing here was measured on this machine: docs/plan.md"]
    if plan.problems:
        rows += ["", "not to be started so:", *(f"  {problem}" for problem in plan.problems)]
    return "\n".join(rows)


def _head(plan: RunPlan) -> str:
    shape, run = plan.training.shape, plan.run
    active = f", {shape.active_parameters / 1e9:.2f} B see a token" if shape.experts else ""
    size = f"{shape.parameters / 1e9:.3g} B parameters{active}"
    where = f"{plan.training.gpus} × {plan.training.gpu.name}"
    local = ""
    if run.backend == "local":
        local = f"\nbackend is local: this is what {where} would take, nothing about this machine"
    return f"{run.run}: {size}, {_big(plan.tokens)} tokens in {plan.steps:,} steps on {where}{local}"


def _facts(plan: RunPlan) -> list[tuple[str, str]]:
    facts = [("layout", _own(plan))]
    if isinstance(plan.own, Refused):
        facts += [("", f"nearest that can be: {one.layout.text()}, {_gb(one.memory)} GB") for one in plan.nearest]
    if plan.own.memory:
        sizes = " · ".join(f"{way} {_gb(need)}" for way, need in plan.ways.items())
        facts += [("memory", _parts(plan.own.memory)), ("", f"with activations computed again: {sizes} GB")]
    if plan.estimate and plan.stops:
        facts += [*_costs(plan, plan.estimate), *_stops(plan, plan.stops)]
    facts += [("budget", _budget(plan)), ("data", _data(plan))]
    return facts


def _own(plan: RunPlan) -> str:
    text, room = plan.own.layout.text(), plan.training.gpu.memory_gb
    if isinstance(plan.own, Refused):
        return f"{text} CANNOT BE: {plan.own.reason}"
    need = plan.own.memory
    tight = "" if need.high <= plan.training.gpu.memory else "; MAY NOT FIT"
    place = f"number {plan.rank} of {len(plan.choice.ranked)}"
    return f"{text}: {_gb(need)} of {room:.1f} GB ({need.low / 1e9:.1f} to {need.high / 1e9:.1f}){tight}, {place}"


def _parts(memory: Memory) -> str:
    return " · ".join(f"{name} {size / 1e9:.1f}" for name, size in vars(memory).items()) + " GB a GPU"


def _costs(plan: RunPlan, made: Estimate) -> list[tuple[str, str]]:
    of = "" if isinstance(plan.own, Candidate) else f" of {made.layout.text()}"
    speed = f"{_spread(made.tokens_per_s_per_gpu)} tokens/s a GPU, MFU {_spread(made.mfu, percent=True)}"
    rows = [(f"speed{'*' if of else ''}", f"{speed}, {made.step.seconds:.3g} s a step{of}")]
    days = Spread(**{end: value / 24 for end, value in made.wall_hours.model_dump().items()})
    rows += [("time", f"{_spread(days)} days without queues")]
    rows += [("hours", f"{_spread(made.gpu_hours)} GPU-hours")]
    if plan.core_hours:
        rows += [("", f"{_spread(plan.core_hours)} core-hours, {plan.run.plan.core_hours_per_gpu_hour:g} a GPU-hour")]
    mwh = Spread(**{end: value / 1000 for end, value in made.energy_kwh.model_dump().items()})
    return [*rows, ("carbon", f"{_spread(made.tco2e)} tCO2e; GPUs and hosts draw {_spread(mwh)} MWh")]


def _stops(plan: RunPlan, stops: Stops) -> list[tuple[str, str]]:
    every, loss, chain = plan.run.pretrain.checkpoint_every, stops.loss, stops.chain
    jobs = f"{loss.segments} of {plan.run.plan.segment_hours:g} h"
    if loss.wall_s < chain.segment_s / 10:
        return [("segments", f"{jobs}; too short for faults to matter")]
    low, high = stops.simulated.between()
    days = [seconds / 86400 for seconds in (stops.simulated.wall_s.mean(), low, high)]
    best = stops.best_steps
    return [
        ("segments", f"{jobs}; {loss.failures:.2g} faults expected, one in {chain.between_failures_s / 3600:,.0f} h"),
        ("lost", f"{loss.share:.1%} of the time: {_lost(plan, stops)}"),
        ("", f"taking {chain.checkpoint_s:g} s for a checkpoint and {chain.restart_s:g} s for a start"),
        ("", f"a checkpoint every {every:,} steps ({_minutes(every * stops.step_s)}); best, by Daly: every {best:,} "
         f"({_minutes(best * stops.step_s)}), {stops.least.share:.1%} lost"),
        ("", f"simulated {len(stops.simulated.wall_s)} times: {days[0]:.1f} days, nine of ten {days[1]:.1f} to "
         f"{days[2]:.1f}"),
    ]  # fmt: skip


def _lost(plan: RunPlan, stops: Stops) -> str:
    parts = {
        "checkpoints": stops.loss.checkpoints_s,
        "starts and ends of segments": stops.loss.segments_s,
        "faults": stops.loss.failures_s,
    }
    gpus = plan.training.gpus
    return ", ".join(f"{name} {_three(seconds * gpus / 3600)}" for name, seconds in parts.items()) + " GPU-hours"


def _budget(plan: RunPlan) -> str:
    judged = []
    for verdict in plan.verdicts:
        if verdict.limit is not None:
            word = "OVER" if verdict.over else "within, perhaps over" if verdict.may_be_over else "within"
            judged.append(f"{_three(verdict.predicted.value)} of {amount(verdict.limit)} {verdict.unit}: {word}")
    confirmed = ", started even so (budget.exceed)" if plan.run.budget.exceed else ""
    return "; ".join(judged) + confirmed if judged else "none set"


def _data(plan: RunPlan) -> str:
    if not plan.data:
        return "nothing is tokenised yet: what there is of each corpus isn't known"
    seen = ", ".join(f"{one.corpus} {_big(one.tokens)} × {one.epochs:.3g}" for one in plan.data)
    short = any(one.epochs > plan.run.pretrain.epochs for one in plan.data)
    often = "; " + words if (words := worn({one.corpus: one.epochs for one in plan.data})) else ""
    return f"tokens at hand × how often each is seen: {seen}" + ("; SHORTER THAN THE RUN" if short else "") + often


def _layouts(plan: RunPlan) -> list[str]:
    ranked, room = plan.choice.ranked, plan.training.gpu.memory
    rows = [f"{f'fastest of {len(ranked)} layouts that fit in {room / 1e9:.1f} GB':<47}GB   s a step"]
    for one in ranked[:SHOWN]:
        tight = "" if one.memory.high <= room else "   may not fit"
        rows += [f"  {one.layout.text():<41}{_gb(one.memory):>6}{one.step.seconds:>11.3g}{tight}"]
    if plan.choice.refused:
        rows += [f"refused {len(plan.choice.refused)} layouts, for example"]
    for reason, count in plan.reasons.most_common(SHOWN):
        first = next(one for one in plan.choice.refused if reason_of(one) == reason)
        rows += [f"  {count:>3}: {first.layout.text()}: {first.reason.split('; ')[0].split(': ')[0]}"]
    return rows


def _laws(plan: RunPlan) -> list[str]:
    rows = ["best tokens for this size        tokens   the run has   size for this compute   loss (nats/token)"]
    for one in plan.advice:
        loss = f"{one.loss:.2f}" if one.loss else "-"
        rows += [f"  {one.law:<26}{_big(one.tokens):>11}{one.ratio:>12.2g} ×{one.best_size:>20.2g} ×{loss:>14}"]
    sizes = ", ".join(f"{float(f'{size:.2g}'):,.0f} ({name})" for name, size in plan.vocabularies.items())
    return [*rows, f"vocabulary {plan.training.shape.vocabulary:,}; best by Tao et al.: {sizes}"]


def _spread(spread: Spread, percent: bool = False) -> str:
    if percent:
        return f"{spread.value:.0%} ({spread.low:.0%} to {spread.high:.0%})"
    return f"{_three(spread.value)} ({_three(spread.low)} to {_three(spread.high)})"


def _three(value: float) -> str:
    """Return a number with three digits that mean something."""
    return f"{float(f'{value:.3g}'):,.12g}"


def _gb(memory: Memory) -> str:
    return f"{memory.total / 1e9:.1f}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _big(number: float) -> str:
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number:,.0f}"
