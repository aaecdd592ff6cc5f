"""The shape of a text's lines and its share of letters and digits, by which source code is told from data.

Chen et al. 2021 (arXiv:2107.03374, section 3.1) and Li et al. 2023 (arXiv:2305.06161, section 3) filter code so.
"""

from __future__ import annotations

import polars as pl


def shape(text: pl.Series) -> pl.DataFrame:
    """Return ``line_length_mean`` and ``line_length_max`` (code points) and ``alphanumeric_fraction``."""
    parts = {"text": text, "line": text.str.split("\n"), "letters": text.str.replace_all(r"[^\p{L}\p{N}]+", "")}
    characters, lines = pl.col("text").str.len_chars(), pl.col("line").list
    measures = {
        "line_length_mean": (characters - lines.len() + 1) / lines.len(),
        "line_length_max": lines.eval(pl.element().str.len_chars()).list.max().cast(pl.Int64),
        "alphanumeric_fraction": (pl.col("letters").str.len_chars() / characters).fill_nan(None),
    }
    return pl.DataFrame(parts).select(**measures).with_columns(pl.selectors.float().round(8))
