"""RedPajama-v2's document signals of a column of texts, under its names and by its definitions.

Weber et al. 2024 (arXiv:2411.12372, appendix on quality signals); their reference code fixes the text units: a *word*
is what stands between spaces in the normalised text, a *token* is a run of word characters or of other visible
characters in the raw text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from hominis.corpus.repetition import DUPLICATE_SIZES, TOP_SIZES, repetition, vocabulary
from hominis.corpus.words import Words

_SPACE = r"\s\x1c-\x1f"  # Python's str.isspace also takes the four ASCII separators
_WORD = r"\p{L}\p{N}_"  # Python's str.isalnum knows no combining marks, unlike the regex crate's \w
_UPPER, _LOWER = r"\p{Uppercase}", r"\p{Lowercase}\p{Lt}"

Floats = npt.NDArray[np.float64]


def normalise(text: pl.Series) -> pl.Series:
    """Return the texts without ASCII punctuation, in lower case, words joined by single spaces, decomposed (NFD)."""
    bare = text.str.replace_all(r"[!-/:-@\[-`{-~]", "").str.to_lowercase()
    return bare.str.replace_all(rf"[{_SPACE}]+", " ").str.strip_chars(" ").str.normalize("NFD")


def signals(text: pl.Series, normalised: pl.Series, words: Words) -> pl.DataFrame:
    """Return a row of ``rps_doc_*`` signals per document, rounded to 8 decimals; null where RedPajama-v2 has null.

    Args:
        text: the raw texts.
        normalised: ``normalise(text)``, and ``words`` made from it.
    """
    raw = pl.DataFrame({"text": text, "normalised": normalised}).select(_characters(), **_counts())
    frame = raw.with_columns(tokens_of_words=pl.Series(words.counts))
    measured = {**_from_words(words), **_repetitions(words)}
    frame = frame.with_columns(**{name: pl.Series(values, nan_to_null=True) for name, values in measured.items()})
    return frame.select(
        pl.col("tokens_of_words").alias("rps_doc_word_count"),
        *(pl.col(name).round(8) for name in measured),
        *(expression.round(8).alias(f"rps_doc_{name}") for name, expression in _fractions().items()),
    )


def _characters() -> pl.Expr:
    return pl.col("text").str.len_chars().alias("characters")


def _counts() -> dict[str, pl.Expr]:
    """Return what is counted in raw text by one pass of a regular expression each."""
    text, line_end = pl.col("text").str, rf"[[{_SPACE}]--\n]*(?:\n|\z)"
    visible = rf"[^{_WORD}{_SPACE}]"
    return {
        "tokens": text.count_matches(rf"[{_WORD}]+|{visible}+"),
        "with_letter": text.count_matches(rf"[a-zA-Z][{_WORD}]*"),
        "capitals": _all_caps(rf"[{_WORD}]") + _all_caps(visible),
        "sentences": text.count_matches(rf"[{_WORD}][^.!?]*"),
        "symbols": text.count_matches(r"#|\.\.\.|…"),
        "lines": text.count_matches(r"[^\n]*\n|[^\n]+\z"),
        "ellipses": text.count_matches(rf"(?:\.\.\.|…){line_end}"),
        "brackets": text.count_matches(r"[{}]"),
        "lorem": pl.col("normalised").str.count_matches(r"(?i)lorem ipsum"),
        "lorem_literal": pl.col("normalised").str.contains("lorem ipsum", literal=True),
        "normalised_characters": pl.col("normalised").str.len_chars(),
    }


def _all_caps(unit: str) -> pl.Expr:
    """Count runs of ``unit`` with a capital, less those with both a capital and a small (or title-case) letter."""
    text = pl.col("text").str
    upper, lower = rf"[{unit}&&{_UPPER}]", rf"[{unit}&&[{_LOWER}]]"
    not_lower, not_upper = rf"[{unit}--[{_LOWER}]]", rf"[{unit}--{_UPPER}]"
    either = rf"(?:{upper}{not_lower}*{lower}|{lower}{not_upper}*{upper}){unit}*"
    return text.count_matches(rf"{upper}{unit}*").cast(pl.Int64) - text.count_matches(either).cast(pl.Int64)


def _fractions() -> dict[str, pl.Expr]:
    tokens, lines = (pl.when(pl.col(name) > 0).then(pl.col(name)) for name in ("tokens", "lines"))
    lorem = pl.when(pl.col("lorem_literal")).then(pl.col("lorem") / pl.col("normalised_characters")).otherwise(0.0)
    return {
        "num_sentences": pl.col("sentences").cast(pl.Float64),
        "symbol_to_word_ratio": pl.col("symbols") / tokens,
        "frac_lines_end_with_ellipsis": pl.col("ellipses") / lines,
        "frac_no_alph_words": 1.0 - pl.col("with_letter") / tokens,
        "frac_all_caps_words": pl.col("capitals") / tokens,
        "curly_bracket": (pl.col("brackets") / pl.col("characters")).fill_nan(0.0),
        "lorem_ipsum": lorem,
    }


def _from_words(words: Words) -> dict[str, Floats]:
    counts = np.where(words.counts > 0, words.counts, np.nan)
    distinct, entropy = vocabulary(words)
    return {
        "rps_doc_mean_word_length": words.characters / counts,
        "rps_doc_frac_unique_words": distinct / counts,
        "rps_doc_unigram_entropy": np.where(words.counts > 0, entropy, np.nan),
    }


def _repetitions(words: Words) -> dict[str, Floats]:
    shares = repetition(words)
    top = {f"rps_doc_frac_chars_top_{size}gram": shares[size] for size in TOP_SIZES}
    return top | {f"rps_doc_frac_chars_dupe_{size}grams": shares[size] for size in DUPLICATE_SIZES}
