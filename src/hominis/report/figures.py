"""The figures, drawn once as static SVG: no script, no font, no request, the same bytes for the same results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hominis.report import formats, mix_figure
from hominis.report.model import Funnel, HeldOut, Results, StageRow
from hominis.report.palette import GRID, INK, LOST, NARROW, ORDERS, OURS, RUNNING, SOFT, WIDE, table
from hominis.report.training_figure import in_words, panels


@dataclass(frozen=True)
class Figure:
    """A drawing in two widths; ``alt`` says in words what it shows."""

    wide: str
    narrow: str
    alt: str


def draw_data(results: Results) -> dict[str, Figure]:
    """Return the figures of the data card by name; those without data are left out."""
    mix = results.mix
    return {"mix": _figure(lambda width: mix_figure.bars(mix, width), mix_figure.in_words(mix))} if mix else {}


def draw(results: Results) -> dict[str, Figure]:
    """Return the figures of the report by name; those without data are left out."""
    made: dict[str, Figure] = {}
    if any(row.energy_kwh for row in results.stages):
        made["energy"] = _figure(lambda width: _energy(results, width), _energy_alt(results.stages))
    if any(row.value is not None or row.orders for row in results.held_out):
        made["held_out"] = _figure(lambda width: _held_out(results, width), _held_out_alt(results.held_out))
    if results.curves:
        curves = results.curves
        made["training"] = _figure(lambda width: panels(curves, width), in_words(curves))
    if results.funnel:
        funnel = results.funnel
        made["funnel"] = _figure(lambda width: _funnel(funnel, width), _funnel_alt(funnel))
    return made


def _figure(chart: Callable[[int], Any], alt: str) -> Figure:
    return Figure(_svg(chart(WIDE), WIDE), _svg(chart(NARROW), NARROW), alt)


def _svg(chart: Any, width: int) -> str:
    import vl_convert

    axis = {"labelColor": INK, "titleColor": SOFT, "gridColor": GRID, "domainColor": SOFT, "tickColor": SOFT}
    text = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": max(width // 3, 130)}
    legend: dict[str, Any] = {"orient": "top", "title": None, "labelColor": INK, "labelFontSize": 12}
    legend["columns"] = 4 if width == WIDE else 2
    styled = chart.configure(background="transparent", font="Helvetica, Arial, sans-serif", padding=4)
    styled = styled.configure_axis(**axis, **text).configure_view(stroke=None).configure_legend(**legend)
    svg: str = vl_convert.vegalite_to_svg(styled.to_json(), show_warnings=False, allowed_base_urls=[])
    # The page gives the picture its role and its words; sizes come from the view box.
    return re.sub(
        r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true" focusable="false">', svg
    )


def _energy(results: Results, width: int) -> Any:
    import altair as alt

    size, unit = formats.unit_for(max(row.energy_kwh for row in results.stages), formats.ENERGY)
    costs = {cost.stage: cost for cost in results.account.stages}
    rows = [
        {"stage": row.stage, "what": what, "energy": getattr(costs[row.stage], what).energy_kwh / size}
        for row in results.stages
        if row.stage in costs
        for what in ("useful", "lost", "running")
    ]
    present = [w for w in ("useful", "lost", "running") if any(r["what"] == w and r["energy"] for r in rows)]
    colours = {"useful": OURS, "lost": LOST, "running": RUNNING}
    scale = alt.Scale(domain=present, range=[colours[what] for what in present])
    return (
        alt.Chart(table([row for row in rows if row["what"] in present]))
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("energy:Q", title=f"energy of the machines, {unit}", stack="zero"),
            y=alt.Y("stage:N", sort=[row.stage for row in results.stages], title=None),
            color=alt.Color("what:N", scale=scale),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank="indexof(['useful', 'lost', 'running'], datum.what)")
        .properties(width=width, height={"step": 24})
    )


def _held_out(results: Results, width: int) -> Any:
    import altair as alt

    rows, ours = [], results.run.model
    for row in results.held_out:
        rows += [{"corpus": row.corpus, "what": f"byte order {o.order}", "bits": o.bits_per_byte} for o in row.orders]
        if row.value is not None:
            rows.append({"corpus": row.corpus, "what": ours, "bits": row.value, "low": row.low, "high": row.high})
    names = [ours, "byte order 1", "byte order 2", "byte order 3"]
    colour = alt.Color("what:N", scale=alt.Scale(domain=names, range=[OURS, *ORDERS]))
    shape = alt.Shape("what:N", scale=alt.Scale(domain=names, range=["circle", "square", "diamond", "triangle-up"]))
    y = alt.Y("corpus:N", sort=[row.corpus for row in results.held_out], title=None, axis=alt.Axis(grid=True))
    base = alt.Chart(table(rows)).properties(width=width, height={"step": 34})
    title = "bits per byte, lower is better"
    x = alt.X("bits:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    band = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2, color=OURS)
    points = base.mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=colour, shape=shape)
    return alt.layer(band.encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y), points)


def _funnel(funnel: Funnel, width: int) -> Any:
    import altair as alt

    size, unit = formats.unit_for(funnel.read.bytes, formats.BYTES)
    left = funnel.read.bytes
    rows: list[dict[str, Any]] = [{"rule": "read", "from": 0, "to": left / size, "what": "kept"}]
    for removed in funnel.removed:
        rows.append({"rule": removed.rule, "from": (left - removed.bytes) / size, "to": left / size, "what": "removed"})
        left -= removed.bytes
    rows.append({"rule": "kept", "from": 0, "to": funnel.kept.bytes / size, "what": "kept"})
    scale = alt.Scale(domain=["kept", "removed"], range=[OURS, LOST])
    return (
        alt.Chart(table(rows))
        .mark_bar(height={"band": 0.75})
        .encode(
            x=alt.X("from:Q", title=f"text, {unit}"),
            x2="to:Q",
            y=alt.Y("rule:N", sort=[row["rule"] for row in rows], title=None),
            color=alt.Color("what:N", scale=scale),
        )
        .properties(width=width, height={"step": 20})
    )


def _energy_alt(stages: Sequence[StageRow]) -> str:
    said = ", ".join(f"{row.stage} {formats.energy(row.energy_kwh)}" for row in stages)
    return f"Bars, energy by stage: {said}."


def _held_out_alt(rows: Sequence[HeldOut]) -> str:
    said = [
        f"{row.corpus}: model {formats.fixed(row.value, 3)}, "
        + ", ".join(f"order {o.order} {formats.fixed(o.bits_per_byte, 3)}" for o in row.orders)
        for row in rows
    ]
    return "Points, bits per byte by corpus. " + "; ".join(said) + "."


def _funnel_alt(funnel: Funnel) -> str:
    said = ", ".join(f"{r.rule} {formats.size(r.bytes)}" for r in funnel.removed if r.bytes)
    read, kept = formats.size(funnel.read.bytes), formats.size(funnel.kept.bytes)
    return f"Waterfall: {read} read, removed by {said or 'no rule'}, {kept} kept."
