"""Colours of the drawings, and what all of them need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INK, SOFT, GRID = "#1d2327", "#5b656d", "#dde2e6"
OURS, LOST, RUNNING = "#0b6b63", "#c1440e", "#b98a00"
ORDERS = ("#8d99a3", "#6c7f9b", "#4a5f8a")
"""The page recolours exactly these for dark backgrounds: see style.css."""

WIDE, NARROW = 640, 250
"""Widths in pixels of the plotting area, for pages and for phones."""


def table(rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows as the data of a chart."""
    import altair as alt

    return alt.Data(values=list(rows))
