"""How training mixed the corpora: shares as bars, each with how often its text was seen."""

from __future__ import annotations

from typing import Any

from hominis.report import formats
from hominis.report.model import Mix
from hominis.report.palette import INK, LOST, OURS, table


def bars(mix: Mix, width: int) -> Any:
    """Return the chart; corpora that were seen too often are drawn apart."""
    import altair as alt

    rows = [
        {"corpus": row.corpus, "share": row.share, "seen": _seen(row.epochs), "worn": row.worn} for row in mix.corpora
    ]
    base = alt.Chart(table(rows)).properties(width=width, height={"step": 28})
    y = alt.Y("corpus:N", sort="-x", title=None)
    top = 1.25 * max(row.share for row in mix.corpora)
    scale = alt.Scale(domain=[0, top], nice=False)
    x = alt.X("share:Q", title="share of the samples", scale=scale, axis=alt.Axis(format=".0%", tickCount=5))
    colour = alt.condition("datum.worn", alt.value(LOST), alt.value(OURS))
    drawn = base.mark_bar(height={"band": 0.7}).encode(x=x, y=y, color=colour)
    words = base.mark_text(align="left", dx=5, fontSize=12, color=INK).encode(x=x, y=y, text="seen:N")
    return alt.layer(drawn, words)


def in_words(mix: Mix) -> str:
    """Return what the chart shows."""
    said = ", ".join(f"{row.corpus} {formats.share(row.share)} ({_seen(row.epochs)})" for row in mix.corpora)
    return f"Bars, share of training by corpus: {said}."


def _seen(epochs: float) -> str:
    return f"seen {formats.significant(epochs, 2)} times"
