"""The signals of a column of documents: RedPajama-v2's, under its names and by its definitions, and our own.

Weber et al. 2024 (arXiv:2411.12372, appendix on quality signals); their reference code fixes the text units: a *word*
is what stands between spaces in the normalised text, a *token* is a run of word characters or of other visible
characters in the raw text, a *line* ends with U+000A. The kernels count; here counts become shares.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hominis.corpus.kernels.lines import count_lines
from hominis.corpus.kernels.normalise import Normalised
from hominis.corpus.kernels.repetition import DUPLICATE_SIZES, TOP_SIZES
from hominis.corpus.kernels.texts import Texts
from hominis.corpus.kernels.tokens import count_tokens
from hominis.corpus.kernels.words import count_words
from hominis.corpus.lists import lists, rows_of

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Counts = Mapping[str, I64]

_DECIMALS = 8


def signals(raw: Texts, normal: Normalised, scanned: npt.NDArray[np.int32], languages: pa.Array) -> dict[str, pa.Array]:
    """Return each signal of each document; shares are rounded to 8 decimals, and null where RedPajama-v2 has null.

    Args:
        raw: the texts; ``normal`` and ``scanned`` (by ``scan_lines``) were made from them.
        languages: ISO 639-1 codes, which choose the word lists; signals that need a list are null without one.
    """
    rows, words_of = rows_of(languages), lists()
    tokens = count_tokens(raw, rows, words_of.stop, words_of.longest)
    lines = count_lines(raw, normal.lines, scanned)
    words, entropy = count_words(normal, rows, words_of.bad)
    words["words"] = np.diff(normal.words)
    counted = {
        "rps_doc_word_count": words["words"],
        "line_count": lines["filled"],
        "line_length_max": lines["longest"],
        "javascript_lines": words["javascript_lines"],
        "required_stop_words": words["required"],
    }
    shares = _of_words(words, entropy) | _of_tokens(tokens) | _of_lines(lines, tokens)
    shares |= {name: np.where(rows < 0, np.nan, values) for name, values in _of_lists(tokens, words).items()}
    named = zip(shares, rounded(np.stack(list(shares.values()))), strict=True)
    return {name: pa.array(values) for name, values in counted.items()} | {
        name: pa.array(values, from_pandas=True) for name, values in named
    }


def rounded(values: F64) -> F64:
    """Return what ``round(value, 8)`` gives for each value.

    A product by a power of ten is not exact, so where it comes near the middle of two decimals Python decides.
    """
    scaled = values * 10.0**_DECIMALS
    near = np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) < 1e-6 + np.abs(scaled) * 2.0**-50
    result = np.rint(scaled) / 10.0**_DECIMALS
    result[near] = [round(value, _DECIMALS) for value in values[near].tolist()]
    return np.asarray(result)


def _share(part: I64, whole: I64, empty: float = np.nan) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, empty)


def _of_words(words: Counts, entropy: F64) -> dict[str, F64]:
    count, characters = words["words"], words["word_characters"]
    length = characters + np.maximum(count - 1, 0)
    literally = words["lorem_ipsum_literally"] > 0
    return {
        "rps_doc_mean_word_length": _share(characters, count),
        "rps_doc_frac_unique_words": _share(words["distinct"], count),
        "rps_doc_unigram_entropy": np.where(count > 0, entropy, np.nan),
        **{f"rps_doc_frac_chars_top_{n}gram": _share(words[f"in_top_{n}gram"], characters, 0.0) for n in TOP_SIZES},
        **{
            f"rps_doc_frac_chars_dupe_{n}grams": _share(words[f"in_duplicate_{n}grams"], characters, 0.0)
            for n in DUPLICATE_SIZES
        },
        "rps_doc_lorem_ipsum": np.where(literally, _share(words["lorem_ipsum"], length, 0.0), 0.0),
    }


def _of_tokens(tokens: Counts) -> dict[str, F64]:
    count, characters = tokens["tokens"], tokens["characters"]
    return {
        "alphanumeric_fraction": _share(tokens["alphanumeric"], characters),
        "rps_doc_num_sentences": tokens["sentences"].astype(np.float64),
        "rps_doc_symbol_to_word_ratio": _share(tokens["symbols"], count),
        "rps_doc_frac_no_alph_words": 1.0 - _share(tokens["tokens_with_letter"], count),
        "rps_doc_frac_all_caps_words": _share(tokens["capitals"], count),
        "rps_doc_curly_bracket": _share(tokens["brackets"], characters, 0.0),
    }


def _of_lists(tokens: Counts, words: Counts) -> dict[str, F64]:
    stop = _share(tokens["stop_words"], tokens["tokens"], 0.0)
    return {
        "rps_doc_stop_word_fraction": np.where(words["words"] > 0, stop, 0.0),
        "rps_doc_ldnoobw_words": words["bad_words"].astype(np.float64),
    }


def _of_lines(lines: Counts, tokens: Counts) -> dict[str, F64]:
    filled, pieces = lines["filled"], lines["newlines"] + 1
    return {
        "line_length_mean": (tokens["characters"] - lines["newlines"]) / pieces,
        "line_terminal_fraction": _share(lines["terminal"], filled),
        "line_short_fraction": _share(lines["short"], filled),
        "line_bullet_fraction": _share(lines["bullets"], filled),
        "line_duplicate_fraction": _share(lines["repeated"], filled),
        "line_duplicate_char_fraction": _share(lines["repeated_characters"], lines["visible_characters"]),
        "paragraph_duplicate_fraction": _share(lines["repeated_paragraphs"], lines["paragraphs"]),
        "paragraph_duplicate_char_fraction": _share(
            lines["repeated_paragraph_characters"], lines["paragraph_characters"]
        ),
        "rps_doc_frac_lines_end_with_ellipsis": _share(lines["ellipses"], lines["lines"]),
    }
