"""Numbers as people read them: three significant digits, a unit that fits, and nothing reckoned."""

from __future__ import annotations

import re
from collections.abc import Sequence

Units = Sequence[tuple[float, str]]
"""(size in the base unit, name), rising."""

ENERGY: Units = ((1e-9, "µWh"), (1e-6, "mWh"), (1e-3, "Wh"), (1.0, "kWh"), (1e3, "MWh"), (1e6, "GWh"))
MASS: Units = ((1e-6, "µg"), (1e-3, "mg"), (1.0, "g"), (1e3, "kg"), (1e6, "t"), (1e9, "kt"))
TONNES: Units = tuple((size / 1e6, name) for size, name in MASS)
BYTES: Units = ((1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"), (1e15, "PB"))
COUNT: Units = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))

NONE = "–"
SPACE = "\u00a0"


def unit_for(value: float, units: Units) -> tuple[float, str]:
    """Return the largest unit in which ``value`` is at least 1, else the smallest; for 0 the base unit."""
    if value == 0:
        return next(unit for unit in units if unit[0] == 1.0)
    return max((unit for unit in units if unit[0] <= abs(value)), default=units[0])


def significant(value: float, digits: int = 3) -> str:
    """Return ``value`` with so many significant digits, never in exponent notation below a million."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}" if "e+" in text and abs(value) < 1e6 else text.replace("e-0", "e-").replace("e+0", "e")


def scaled(value: float | None, units: Units) -> str:
    """Return ``value``, given in the base unit, in the unit that fits; 0 needs no unit."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    size, name = unit_for(value, units)
    return f"{significant(value / size)}{SPACE}{name}".rstrip(SPACE)


def energy(kwh: float | None) -> str:
    """Return an energy given in kWh."""
    return scaled(kwh, ENERGY)


def mass(grams: float | None) -> str:
    """Return a mass given in grams."""
    return scaled(grams, MASS)


def size(number: float | None) -> str:
    """Return a number of bytes in decimal units."""
    return scaled(number, BYTES)


def short(number: float | None) -> str:
    """Return a large number as 1.2 M; B is 10^9."""
    return scaled(number, COUNT)


def count(number: float | None) -> str:
    """Return a whole number with separators."""
    return NONE if number is None else f"{number:,.0f}"


def fixed(value: float | None, places: int = 1) -> str:
    """Return a number with so many decimals."""
    return NONE if value is None else f"{value:,.{places}f}"


def share(value: float) -> str:
    """Return a part of a whole in per cent."""
    return f"{significant(100 * value)}{SPACE}%"


def duration(seconds: float) -> str:
    """Return a time span given in seconds."""
    if seconds < 60:
        return f"{significant(seconds)}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}{SPACE}h {minutes:02d}{SPACE}min" if hours else f"{minutes}{SPACE}min {rest:02d}{SPACE}s"


def tex(value: object) -> str:
    """Return text that LaTeX prints as it is."""
    named = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", SPACE: "~", "–": "--"}
    named |= {"µ": r"\textmu{}", "§": r"\S{}"}
    text = re.sub(r"\s*[\r\n]\s*", " ", str(value))
    return re.sub(r"[\\~^\u00a0–µ§&%$#_{}]", lambda m: named.get(m[0], "\\" + m[0]), text)


def markdown(value: object) -> str:
    """Return text that Markdown prints as it is, inside a table too."""
    text = re.sub(r"\s*[\r\n]\s*", " ", str(value))
    return re.sub(r"[\\`*_|<>\[\]#&]", lambda m: f"\\{m[0]}" if m[0] not in "<>&" else f"&#{ord(m[0])};", text)
