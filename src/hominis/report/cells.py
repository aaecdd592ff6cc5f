"""The results table as text cells, the same for the page, Markdown and LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

from hominis.report import formats
from hominis.report.model import Measured, Published, Results, TableRow


@dataclass(frozen=True)
class Cell:
    """What a cell says.

    Attributes:
        band: the error band beside the value, or "".
        mark: letter of a footnote, or "".
        reason: why there is no value, or "".
    """

    text: str
    band: str = ""
    mark: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    category: str
    benchmark: str
    metric: str
    measured: Cell
    published: tuple[Cell, ...]


@dataclass(frozen=True)
class View:
    """The table: names of the published models, rows, and footnotes by letter."""

    models: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: dict[str, str]


def view(results: Results) -> View:
    """Return the results table as cells."""
    listed = [row.published[model].note for row in results.table for model in results.models if model in row.published]
    notes = dict.fromkeys(note for note in listed if note)
    marks = dict(zip(notes, ascii_lowercase, strict=False))
    lines = tuple(_line(row, results.models, marks) for row in results.table)
    return View(tuple(results.models), lines, {mark: note for note, mark in marks.items()})


def _line(row: TableRow, models: list[str], marks: dict[str, str]) -> Line:
    published = tuple(_published(row.published.get(model), marks) for model in models)
    return Line(row.category, row.benchmark, row.metric, _measured(row.measured, row.unit), published)


def _published(number: Published | None, marks: dict[str, str]) -> Cell:
    return Cell(formats.NONE) if number is None else Cell(number.text, mark=marks.get(number.note, ""))


def _measured(measured: Measured, unit: str) -> Cell:
    if measured.status == "not run" or measured.value is None:
        return Cell("not run", reason=measured.reason)
    if measured.low is None or measured.high is None:
        return Cell(_number(measured.value, unit))
    return Cell(_number(measured.value, unit), f"{_number(measured.low, unit)} to {_number(measured.high, unit)}")


def _number(value: float, unit: str) -> str:
    if unit == "t":
        return formats.scaled(value, formats.TONNES)
    return formats.fixed(value) if unit == "%" else formats.significant(value)
