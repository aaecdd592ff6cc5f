"""A policy as Polars expressions over annotations."""

from __future__ import annotations

import polars as pl

from hominis.config.policy import DUPLICATE_RULES, Policy, Rule


def rule_names(policy: Policy) -> list[str]:
    """Return what can remove a document, in the order in which it is asked."""
    return [*DUPLICATE_RULES.values(), *(rule.name for rule in policy.rules)]


def removed_by(policy: Policy) -> pl.Expr:
    """Return the name of the first rule that removes a document, null for one that stays.

    Needs the annotations' columns and ``kind``: exact, near, or null for a document that is no copy.
    """
    copies = pl.col("kind").replace_strict(DUPLICATE_RULES, return_dtype=pl.String)
    rules = (pl.when(~passes(rule)).then(pl.lit(rule.name)) for rule in policy.rules)
    return pl.coalesce(copies, *rules, pl.lit(None, dtype=pl.String)).alias("removed_by")


def passes(rule: Rule) -> pl.Expr:
    """Return whether a document meets the rule; bounds are inclusive; never null."""
    signal = pl.col(rule.signal)
    held = pl.lit(True)
    if rule.among is not None:
        held = held & signal.is_in(list(rule.among))
    if rule.min is not None:
        held = held & (signal >= rule.min)
    if rule.max is not None:
        held = held & (signal <= rule.max)
    return held.fill_null(rule.missing == "keep")
