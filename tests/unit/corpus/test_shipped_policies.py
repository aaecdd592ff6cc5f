"""Every rule of every policy that ships turns at its bound, and the bounds are those of the papers."""

import polars as pl
import pytest

from hominis.config.compose import compose, shipped
from hominis.config.policy import Policy
from hominis.config.signals import INTEGERS, LABELS, NUMBERS
from hominis.corpus.policy import passes, removed_by

RULES = [(name, rule) for name in shipped() for rule in compose(name, name).rules]

QUALITY = {
    "word_count": (50, 100_000),
    "mean_word_length": (3, 10),
    "symbol_to_word_ratio": (None, 0.1),
    "lines_start_with_bullet": (None, 0.9),
    "lines_end_with_ellipsis": (None, 0.3),
    "no_alphabetic_words": (None, 0.2),
    "stop_words": (2, None),
}
REPETITION = {
    "duplicate_lines": 0.30,
    "duplicate_paragraphs": 0.30,
    "duplicate_line_characters": 0.20,
    "duplicate_paragraph_characters": 0.20,
    "top_2gram": 0.20,
    "top_3gram": 0.18,
    "top_4gram": 0.16,
    "duplicate_5grams": 0.15,
    "duplicate_6grams": 0.14,
    "duplicate_7grams": 0.13,
    "duplicate_8grams": 0.12,
    "duplicate_9grams": 0.11,
    "duplicate_10grams": 0.10,
}


def judged(policy, signal, value):
    """Return what removes a document of which only ``signal`` is known, asked only the rules on it."""
    kind = pl.String if signal in LABELS else pl.Int64 if signal in INTEGERS else pl.Float64
    frame = pl.DataFrame({"kind": [None], signal: [value]}, schema={"kind": pl.String, signal: kind})
    alike = Policy(rules=tuple(rule for rule in policy.rules if rule.signal == signal))
    return frame.select(removed_by(alike)).item(), {r.name: frame.select(passes(r)).item() for r in alike.rules}


def beyond(rule):
    """Return pairs of a value at a bound and the next one outside it."""
    step = 1 if rule.signal in INTEGERS else 1e-6
    at = [(bound, bound + sign * step) for bound, sign in ((rule.min, -1), (rule.max, 1)) if bound is not None]
    return [(round(inside), round(outside)) if step == 1 else (inside, outside) for inside, outside in at]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[f"{name}-{rule.name}" for name, rule in RULES])
def test_a_document_passes_at_the_bound_and_is_removed_beyond_it(name, rule):
    policy = compose(name, name)
    pairs = beyond(rule) if rule.among is None else [(rule.among[0], "no such value")]
    for inside, outside in pairs:
        assert judged(policy, rule.signal, inside)[1][rule.name]
        removed, held = judged(policy, rule.signal, outside)
        assert not held[rule.name]
        assert removed == next(other for other, passed in held.items() if not passed)


def bounds(name):
    return {rule.name: (rule.min, rule.max) for rule in compose(name, name).rules}


def test_gopher_has_the_bounds_of_its_paper():
    found = bounds("gopher")
    assert {rule: found.pop(rule) for rule in QUALITY} == QUALITY
    assert {rule: found.pop(rule) for rule in REPETITION} == {rule: (None, most) for rule, most in REPETITION.items()}
    assert not found


def test_fineweb_is_gopher_and_c4_and_three_rules_of_its_own():
    found, base = bounds("fineweb"), bounds("english") | bounds("gopher") | bounds("c4")
    own = {rule: bound for rule, bound in found.items() if rule not in base}
    assert own == {
        "lines_end_with_punctuation": (0.12, None),
        "short_lines": (None, 0.67),
        "repeated_line_characters": (None, 0.1),
    }
    assert base.keys() - found.keys() == {"terminal_punctuation", "bad_words"}


def test_code_has_the_bounds_of_codex_and_starcoder():
    found = bounds("code")
    assert found["mean_line_length"] == (None, 100)
    assert found["longest_line"] == (None, 1000)
    assert found["alphanumeric"] == (0.25, None)


def test_italia_has_the_bounds_that_fineweb_2_found_for_italian():
    found = bounds("italia")
    repeats = [found[f"top_{n}gram"][1] for n in (2, 3, 4)], [found[f"duplicate_{n}grams"][1] for n in range(5, 11)]
    assert repeats == ([0.198, 0.156, 0.133], [0.144, 0.136, 0.127, 0.118, 0.109, 0.1])
    assert (found["duplicate_lines"], found["lines_end_with_punctuation"]) == ((None, 0.246), (0.025, None))


def test_redpajama_strict_asks_for_all_of_gopher_and_c4():
    assert (bounds("gopher") | bounds("c4")).items() <= bounds("redpajama-strict").items()


def test_every_signal_has_a_range_that_the_shipped_bounds_lie_in():
    assert all(least < greatest for least, greatest in NUMBERS.values())
    assert {rule.signal for _, rule in RULES} <= NUMBERS.keys() | set(LABELS)
