"""results.json → page and tables. Reads nothing else and reckons nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hominis.report import formats
from hominis.report.cells import view
from hominis.report.figures import draw, draw_data
from hominis.report.model import Results

SHOWN: dict[str, Callable[..., str]] = {
    "energy": formats.energy,
    "mass": formats.mass,
    "size": formats.size,
    "short": formats.short,
    "count": formats.count,
    "fixed": formats.fixed,
    "share": formats.share,
    "significant": formats.significant,
    "duration": formats.duration,
}


def page(results: Results) -> str:
    """Return the report as one HTML page that makes no request."""
    valued = [row for row in results.held_out if row.value is not None]
    return (
        _web()
        .get_template("index.html")
        .render(
            **_shared(results),
            home="",
            figures=draw(results),
            show_mass=formats.mass,
            differing=any(row.bytes is not None and row.bytes != row.ngram_bytes for row in results.held_out),
            told=[row for row in valued if row.corpus == "all"] or valued,
            unkept=[attempt for attempt in results.account.attempts if attempt.standing != "useful"],
            ledger_digest=_ledger_digest(results),
            config_text=json.dumps(results.config, indent=2, ensure_ascii=False, sort_keys=True),
        )
    )


def data_card(results: Results) -> str:
    """Return the data card as one HTML page that makes no request; it leads back to the report beside it."""
    return _web().get_template("data.html").render(r=results, home="index.html", figures=draw_data(results))


def table_markdown(results: Results) -> str:
    """Return the results table as Markdown."""
    return _environment(finalize=formats.markdown).get_template("table.md").render(**_shared(results))


def table_tex(results: Results) -> str:
    """Return the results table as a LaTeX tabular (booktabs)."""
    return _environment(finalize=formats.tex).get_template("table.tex").render(**_shared(results))


def table_csv(results: Results) -> str:
    """Return the results table as CSV, numbers with all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measured = ["value", "low", "high", "items", "status", "reason"]
    published = [f"{model} (published)" for model in results.models]
    writer.writerow(["category", "benchmark", "metric", "unit", *measured, *published])
    for row in results.table:
        ours = [getattr(row.measured, name) for name in measured]
        theirs = [row.published[model].text if model in row.published else "" for model in results.models]
        writer.writerow([row.category, row.benchmark, row.metric, row.unit, *ours, *theirs])
    return text.getvalue()


def slug(text: str) -> str:
    """Return a name that an anchor can have."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text)


def _web() -> Environment:
    environment = _environment(autoescape=True)
    # Vega escapes the text that it draws, so a drawing goes in as it is.
    filters: dict[str, Callable[..., Any]] = {**SHOWN, "drawing": Markup, "slug": slug}
    environment.filters.update(filters)
    return environment


def _environment(**options: Any) -> Environment:
    loader = PackageLoader("hominis.report")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701


def _shared(results: Results) -> dict[str, Any]:
    sources = dict.fromkeys(number.source for row in results.table for number in row.published.values())
    return {"r": results, "view": view(results), "view_sources": list(sources)}


def _ledger_digest(results: Results) -> str:
    made = [p for row in results.table for p in row.measured.provenance if p.stage == "account"]
    return made[0].digest if made else ""
