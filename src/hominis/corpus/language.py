"""Which language a text is in, by fastText's lid.176, as CCNet and FineWeb do."""

from __future__ import annotations

import numpy as np
import polars as pl

from hominis.corpus.kernels.fasttext import beginnings, identified
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.language_model import identifier


def languages(texts: pl.Series, prefix_chars: int) -> pl.DataFrame:
    """Return columns ``language`` (ISO 639-1 where there is one) and ``language_score`` (0 to 1, 4 decimals).

    A text's first ``prefix_chars`` characters tell. Text in capitals is read in small letters: the model takes it for
    Japanese.
    """
    model, names = identifier()
    raw = texts_of(texts)
    ends, capital = beginnings(raw, prefix_chars)
    labels, scores = identified(raw, ends, model)
    if capital.any():
        small = texts_of(texts.filter(pl.Series(capital)).str.slice(0, prefix_chars).str.to_lowercase())
        labels[capital], scores[capital] = identified(small, small.offsets[1:], model)
    return pl.DataFrame(
        {
            "language": pl.Series(names, dtype=pl.String).gather(labels),
            "language_score": np.minimum(np.round(scores, 4), 1.0),
        }
    )


def with_languages(documents: pl.DataFrame, prefix_chars: int) -> pl.DataFrame:
    """Return ``language`` and ``language_score`` as given, identified by a text's beginning where not given."""
    unknown = documents["language"].is_null()
    found = languages(documents["text"].filter(unknown), prefix_chars)
    at = unknown.arg_true()
    return documents.select(documents[name].scatter(at, found[name]) for name in found.columns)
