"""What a policy is: named rules over signals, in an order."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hominis.config.signals import INTEGERS, LABELS, NUMBERS

DUPLICATE_RULES = {"exact": "duplicate_exact", "near": "duplicate_near"}
"""Kind of duplicate → the name under which the funnel counts it, before a policy's own rules."""

CONTAMINATED = "contaminated"
"""The name under which the funnel counts what holds an evaluation item, after a policy's own rules."""


class Rule(BaseModel):
    """A named condition on one signal; bounds are inclusive."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Under which the funnel counts what it removes.")
    signal: str = Field(description="A column of the annotations.")
    min: float | None = None
    max: float | None = None
    among: tuple[str, ...] | None = Field(None, description="The values to keep, for a column of names.")
    missing: Literal["remove", "keep"] = Field("remove", description="What becomes of a document without the signal.")
    source: str = Field("", description="The paper that the bound is from, for people: no part of any key.")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if problem := self._problem():
            raise ValueError(f"rule {self.name}: {problem}")
        return self

    def _problem(self) -> str:
        if self.name in (*DUPLICATE_RULES.values(), CONTAMINATED):
            return "the funnel counts other documents under this name; choose another"
        known = LABELS if self.among is not None else tuple(NUMBERS)
        if self.signal not in known:
            near = difflib.get_close_matches(self.signal, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            return f"unknown signal {self.signal!r}; {hint}"
        if self.among is not None:
            return "both a list and bounds" if (self.min, self.max) != (None, None) else ""
        if self.min is None and self.max is None:
            return "neither min, max nor among is given"
        least, greatest = NUMBERS[self.signal]
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None and not least <= bound <= greatest:
                return f"{name} {bound:g} can't be meant: {self.signal} lies between {least:g} and {greatest:g}"
        return "" if _meet([self]) else f"min {self.min:g} is above max {self.max:g}: no document can pass"

    def decides_as(self, other: Rule) -> bool:
        """Return whether the rules are the same but for the words on where they come from."""
        return self.model_copy(update={"source": ""}) == other.model_copy(update={"source": ""})

    def bound(self) -> str:
        """Return the condition in words: ``0.2 to 0.8``, ``at least 3``, ``at most 0.1``, ``one of en, it``."""
        if self.among is not None:
            return f"one of {', '.join(self.among)}"
        if self.min is not None and self.max is not None:
            return f"{self.min:,.10g} to {self.max:,.10g}"
        return f"at least {self.min:,.10g}" if self.min is not None else f"at most {self.max:,.10g}"


class Policy(BaseModel):
    """Ordered rules; a document that several would remove counts under the first."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rules named more than once: {', '.join(twice)}")
        for rule in self.rules:
            alike = [other for other in self.rules if other.signal == rule.signal]
            if not _meet(alike):
                said = " and ".join(f"{other.name} ({other.bound()})" for other in alike)
                raise ValueError(f"rules on {rule.signal} contradict each other, no document can pass: {said}")
        return self


class PolicyTable(Policy):
    """A policy as it is written down: its own rules come after those of the policies that it extends."""

    about: str = Field("", description="What it is for, in a line.")
    words: str = Field("", description="The text units that its bounds stand on, and where its papers' differ.")
    extends: tuple[str, ...] = Field((), description="Policies whose rules come first: names, or paths of files.")
    without: tuple[str, ...] = Field((), description="Names of their rules that are left out.")


def _meet(rules: Iterable[Rule]) -> bool:
    """Return whether a value can pass all ``rules``, which are on one signal."""
    listed = list(rules)
    if lists := [set(rule.among) for rule in listed if rule.among is not None]:
        return bool(set.intersection(*lists))
    least = max((rule.min for rule in listed if rule.min is not None), default=-math.inf)
    greatest = min((rule.max for rule in listed if rule.max is not None), default=math.inf)
    if listed[0].signal in INTEGERS and math.isfinite(least) and math.isfinite(greatest):
        return math.ceil(least) <= math.floor(greatest)
    return least <= greatest
