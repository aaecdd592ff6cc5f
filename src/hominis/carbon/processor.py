"""How many watts one logical CPU of this machine is taken to draw when it is busy and nothing measures it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import psutil

WATTS_PER_THREAD = 4.0
"""codecarbon's default for a CPU that its table lacks (its methodology page, section CPU)."""


@dataclass(frozen=True)
class Processor:
    """What /proc/cpuinfo says.

    Attributes:
        sockets: physical packages.
        threads: logical CPUs.
        guest: under a hypervisor, where the packages behind the visible CPUs are unknown.
    """

    model: str
    sockets: int
    threads: int
    guest: bool


def read_processor(path: Path = Path("/proc/cpuinfo")) -> Processor:
    """Return this machine's processor; model "" where the file can't be read (not Linux)."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = [(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]
    return Processor(
        model=next((v for k, v in pairs if k == "model name"), ""),
        sockets=len({v for k, v in pairs if k == "physical id"}) or 1,
        threads=psutil.cpu_count(logical=True) or 1,
        guest=any(k == "flags" and "hypervisor" in v.split() for k, v in pairs),
    )


def power_table() -> dict[str, float]:
    """Return codecarbon's table: CPU model → thermal design power in watts. Rows without one number are left out."""
    file = resources.files("codecarbon") / "data" / "hardware" / "cpu_power.csv"
    with file.open(encoding="utf-8") as lines:
        rows = [(row["Name"], row["TDP"]) for row in csv.DictReader(lines)]
    return {name: float(watts) for name, watts in rows if re.fullmatch(r"\d+(\.\d+)?", watts)}


def design_power(model: str, table: dict[str, float]) -> float | None:
    """Return the design power in watts of the table's row whose every word is in ``model``; the longest such row.

    None if no row fits, or if only words without a number do (``Intel Xeon`` fits too many).
    """
    words = _words(model)
    fits = [name for name in table if (own := _words(name)) <= words and any(c.isdigit() for w in own for c in w)]
    return table[max(fits, key=lambda name: (len(_words(name)), name))] if fits else None


def watts_per_thread(processor: Processor, table: dict[str, float]) -> tuple[float, str]:
    """Return watts per busy logical CPU and how they were had.

    Design power x sockets / logical CPUs on a known, whole machine. On a guest the visible CPUs are a few of a larger
    package, so its design power would be charged many times over: codecarbon's default per thread is used there.
    """
    watts = None if processor.guest else design_power(processor.model, table)
    if watts is None:
        why = "guest of a hypervisor" if processor.guest else f"unknown model {processor.model!r}"
        return WATTS_PER_THREAD, f"{WATTS_PER_THREAD:g} W a thread, {why}"
    each = watts * processor.sockets / processor.threads
    return each, f"{each:.3g} W a thread, design power {watts:g} W x {processor.sockets} / {processor.threads}"


def _words(name: str) -> frozenset[str]:
    return frozenset(_split(re.sub(r"\((?:r|tm|c)\)", " ", name.lower())))


def _split(name: str) -> Iterable[str]:
    return re.findall(r"[a-z0-9.\-+]+", name)
