"""The training curves, one above the other over the same steps, with what happened on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hominis.report.model import Curves, Mark
from hominis.report.palette import LOST, ORDERS, OURS, table


@dataclass(frozen=True)
class _Panel:
    field: str
    title: str
    height: int
    zero: bool = True
    format: str = "~g"


PANELS = (
    _Panel("loss", "loss, nats per token", 200, zero=False, format=""),
    _Panel("grad_norm", "gradient norm", 80),
    _Panel("learning_rate", "learning rate", 80),
    _Panel("tokens_per_s", "tokens/s", 80, format="~s"),
)


def panels(curves: Curves, width: int) -> Any:
    """Return the chart; a panel without figures is left out."""
    import altair as alt

    shown = [panel for panel in PANELS if any(getattr(point, panel.field) is not None for point in curves.points)]
    drawn = [_panel(panel, curves, width, last=panel is shown[-1]) for panel in shown]
    return alt.vconcat(*drawn, spacing=14).resolve_scale(x="shared")


def in_words(curves: Curves) -> str:
    """Return what the chart shows."""
    known = [point for point in curves.points if point.loss is not None]
    first, last = known[0], known[-1]
    said = f"Lines over steps: loss from {first.loss:.3f} at step {first.step} to {last.loss:.3f} at step {last.step}"
    others = [p.title for p in PANELS[1:] if any(getattr(point, p.field) is not None for point in curves.points)]
    marks = [f"{len(_of(curves, what))} {what}" for what in ("restart", "skipped", "rollback") if _of(curves, what)]
    return f"{said}; {', '.join(others)}. Marked: {', '.join(marks) or 'nothing'}."


def _panel(panel: _Panel, curves: Curves, width: int, *, last: bool) -> Any:
    import altair as alt

    names = [panel.field, "smoothed"] if panel.field == "loss" else [panel.field]
    rows = [{"step": p.step, **{name: getattr(p, name) for name in names}} for p in curves.points]
    ends = [0, max(p.step for p in curves.points)]
    axis = alt.Axis(tickMinStep=1, labels=last, ticks=last, title="step" if last else None)
    x = alt.X("step:Q", axis=axis, scale=alt.Scale(domain=ends, nice=False))
    axis_y = alt.Axis(tickCount=5 if panel.height > 100 else 3, minExtent=52, format=panel.format)
    y = alt.Y(f"{panel.field}:Q", title=panel.title, scale=alt.Scale(zero=panel.zero), axis=axis_y)
    base = alt.Chart(table(rows)).properties(width=width, height=panel.height)
    if panel.field == "loss":
        raw = base.mark_line(color=ORDERS[0], strokeWidth=1, point=len(rows) == 1).encode(x=x, y=y)
        lines = [raw, base.mark_line(color=OURS, strokeWidth=2).encode(x=x, y=alt.Y("smoothed:Q"))]
    else:
        lines = [base.mark_line(color=OURS, strokeWidth=1.5, point=len(rows) == 1).encode(x=x, y=y)]
    return alt.layer(*_marks(curves), *lines).properties(width=width, height=panel.height)


def _marks(curves: Curves) -> list[Any]:
    """Return what lies behind a panel's lines: bands for steps left out, a line for every skipped step and restart."""
    import altair as alt

    made = []
    if bands := _of(curves, "rollback"):
        rows = [{"from": mark.first - 1, "to": mark.last} for mark in bands]
        made.append(alt.Chart(table(rows)).mark_rect(color=LOST, opacity=0.2).encode(x="from:Q", x2="to:Q"))
    for what, style in (("skipped", {"color": LOST}), ("restart", {"color": ORDERS[2], "strokeDash": [4, 3]})):
        if found := _of(curves, what):
            lines = alt.Chart(table([{"at": mark.first} for mark in found]))
            made.append(lines.mark_rule(strokeWidth=1.2, **style).encode(x="at:Q"))
    return made


def _of(curves: Curves, what: str) -> Sequence[Mark]:
    return [mark for mark in curves.marks if mark.what == what]
