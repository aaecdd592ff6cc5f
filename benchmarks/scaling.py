"""How curation grows with the text: its seconds should lie on a line, which is drawn. With the cores: benchmarks.cores.

    python -m benchmarks.scaling [--megabytes 50 100 150 200] [--draw docs/scaling-curation.svg]
    python -m benchmarks.scaling --megabytes 100 250 500 750 1000

All stages of `benchmarks.curation` at each size, on one core. CPU seconds tell on a busy machine, too. The least
squares line through (megabytes, CPU seconds) has the seconds that a megabyte costs as its slope, and what starting the
stages costs where it begins.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import altair as alt
import numpy as np
import vl_convert
from benchmarks.curation import measure

WANTED_R2, WANTED_MEGABYTES, WANTED_SPEED = 0.99, 1536, 10


class Point(NamedTuple):
    """All stages at one size: megabytes of text, CPU seconds, megabytes of the largest process's memory."""

    size: float
    cpu: float
    memory: float


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[50, 100, 150, 200])
    parser.add_argument("--draw", type=Path)
    given = parser.parse_args()
    points = [measured(size) for size in sorted(given.megabytes)]
    slope, start, fit = line(points)
    print(f"{slope * 1000:.1f} ms of CPU a megabyte and {start:.1f} s to start; R² {fit:.5f} (wanted {WANTED_R2})")
    print(f"{1 / slope:.1f} MB/CPU s, starts apart (wanted {WANTED_SPEED})")
    print(f"memory {max(p.memory for p in points):.0f} MB at most (wanted {WANTED_MEGABYTES}), by size:", end=" ")
    print(", ".join(f"{point.memory:.0f}" for point in points))
    if given.draw:
        given.draw.write_text(drawn(points, slope, start, fit), encoding="utf-8")


def measured(megabytes: float) -> Point:
    """Return what all stages take at a size."""
    with tempfile.TemporaryDirectory() as folder:
        size, stages = measure(Path(folder), megabytes, 1)
    cpu = sum(found.cpu for found in stages.values())
    return Point(size, cpu, max(found.megabytes for found in stages.values()))


def line(points: list[Point]) -> tuple[float, float, float]:
    """Return slope, start and coefficient of determination of the least squares line."""
    sizes, seconds = (np.array([getattr(point, name) for point in points]) for name in ("size", "cpu"))
    slope, start = np.polyfit(sizes, seconds, 1)
    left = seconds - (slope * sizes + start)
    return (
        float(slope),
        float(start),
        float(1 - (left @ left) / ((seconds - seconds.mean()) @ (seconds - seconds.mean()))),
    )


def drawn(points: list[Point], slope: float, start: float, fit: float) -> str:
    """Return the points and their line as SVG."""
    rows = [{"megabytes": point.size, "seconds": point.cpu} for point in points]
    ends = [{"megabytes": size, "seconds": start + slope * size} for size in (0, points[-1].size)]
    x, y = alt.X("megabytes:Q", title="MB of text"), alt.Y("seconds:Q", title="CPU seconds, raw to selected")
    through = alt.Chart(alt.Data(values=ends)).mark_line(color="#8d99a3").encode(x=x, y=y)
    dots = alt.Chart(alt.Data(values=rows)).mark_point(color="#0b6b63", filled=True, size=70).encode(x=x, y=y)
    title = f"{1 / slope:.1f} MB a CPU second and {start:.1f} s to start; R² {fit:.4f}"
    chart = (through + dots).properties(width=560, height=300, title=title)
    svg: str = vl_convert.vegalite_to_svg(chart.to_json(), show_warnings=False, allowed_base_urls=[])
    return svg


if __name__ == "__main__":
    main()
