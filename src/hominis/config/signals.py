"""The vocabulary of policies: the columns of the annotations that a rule may ask about, and their ranges."""

from __future__ import annotations

import math

AMOUNT, SHARE, ANY = (0.0, math.inf), (0.0, 1.0), (-math.inf, math.inf)

PUBLISHED = ("ccnet_", "rps_doc_")
"""How the names of RedPajama-v2's signals of documents begin."""

INTEGERS = {
    "bytes": AMOUNT,
    "line_count": AMOUNT,
    "line_length_max": AMOUNT,
    "javascript_lines": AMOUNT,
    "required_stop_words": (0.0, 8.0),  # Gopher's eight: the be to of and that have with
    "rps_doc_word_count": AMOUNT,
    "rps_doc_ut1_blacklist": AMOUNT,
    "listed_duplicate": SHARE,  # 1: in RedPajama-v2's list of documents whose like is kept; null: no list
    "ccnet_bucket": (0.0, 2.0),  # head, middle, tail
}
"""Columns of whole numbers → their least and greatest value."""

NUMBERS = {
    **INTEGERS,
    "language_score": SHARE,
    "alphanumeric_fraction": SHARE,
    "line_length_mean": AMOUNT,
    "line_terminal_fraction": SHARE,
    "line_short_fraction": SHARE,
    "line_bullet_fraction": SHARE,
    "line_duplicate_fraction": SHARE,
    "line_duplicate_char_fraction": SHARE,
    "paragraph_duplicate_fraction": SHARE,
    "paragraph_duplicate_char_fraction": SHARE,
    "rps_doc_mean_word_length": AMOUNT,
    "rps_doc_frac_unique_words": SHARE,
    "rps_doc_unigram_entropy": AMOUNT,
    # overlapping n-grams are counted apart, so a share of characters may reach n
    **{f"rps_doc_frac_chars_top_{size}gram": (0.0, float(size)) for size in (2, 3, 4)},
    **{f"rps_doc_frac_chars_dupe_{size}grams": SHARE for size in (5, 6, 7, 8, 9, 10)},
    "rps_doc_num_sentences": AMOUNT,
    "rps_doc_symbol_to_word_ratio": AMOUNT,  # `###` is one token and three symbols
    "rps_doc_frac_lines_end_with_ellipsis": SHARE,
    "rps_doc_frac_no_alph_words": SHARE,
    "rps_doc_frac_all_caps_words": SHARE,
    "rps_doc_stop_word_fraction": SHARE,
    "rps_doc_ldnoobw_words": AMOUNT,
    "rps_doc_curly_bracket": SHARE,
    "rps_doc_lorem_ipsum": SHARE,
    # of RedPajama-v2's own models: known where published
    "ccnet_perplexity": AMOUNT,
    **{f"rps_doc_ml_{model}_score": SHARE for model in ("wikiref", "palm", "wikipedia")},
    **{f"rps_doc_{corpus}_importance": ANY for corpus in ("books", "openwebtext", "wikipedia")},
}
"""Columns that a rule may bound → their least and greatest value; ``rps_*`` are RedPajama-v2's by name and meaning."""

LABELS = ("language", "source", "licence", "path")
"""Columns whose values a rule may list."""
