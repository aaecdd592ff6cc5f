"""Signals by a plain reading of their definitions: a document at a time, with Python's own string methods."""

import math
import re
import string
import unicodedata
from collections import Counter

RPS_BULLETS = "\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013"
TERMINAL = (".", "!", "?", "\u201d")
REQUIRED = {"the", "be", "to", "of", "and", "that", "have", "with"}


def normalised(text):
    bare = text.translate(str.maketrans("", "", string.punctuation)).lower()
    return unicodedata.normalize("NFD", " ".join(bare.split()))


def words_of(text):
    return normalised(text).split()


def lines_of(text):
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def tokens_of(text):
    return re.findall(r"\w+|[^\w\s]+", text)


def share(part, whole, empty=None):
    return round(part / whole, 8) if whole else empty


def document_signals(text, stop_words=None, bad_words=None):
    """Every signal of a document; None for those of lists that aren't given."""
    words = words_of(text)
    return {
        **_of_words(words, normalised(text)),
        **{f"rps_doc_frac_chars_top_{size}gram": _top(words, size) for size in (2, 3, 4)},
        **{f"rps_doc_frac_chars_dupe_{size}grams": _duplicated(words, size) for size in range(5, 11)},
        **_of_tokens(text),
        **_of_lines(text),
        "rps_doc_stop_word_fraction": None if stop_words is None else _stop_words(text, stop_words),
        "rps_doc_ldnoobw_words": None if bad_words is None else _bad_words(words, bad_words),
    }


def line_signals(text):
    """Every line signal, as (start, end, value)."""
    spans, start = [], 0
    for line in lines_of(text):
        spans.append((line, start, start + len(line)))
        start += len(line)
    values = {
        "rps_lines_ending_with_terminal_punctution_mark": lambda line: float(
            line.rstrip().endswith(tuple(".!?\u201d"))
        ),
        "rps_lines_num_words": lambda line: len(words_of(line)),
        "rps_lines_javascript_counts": lambda line: float(words_of(line).count("javascript")),
        "rps_lines_uppercase_letter_fraction": lambda line: share(sum(c.isupper() for c in line), len(line)),
        "rps_lines_numerical_chars_fraction": lambda line: share(
            sum(c.isnumeric() for c in normalised(line)), len(normalised(line)), 0.0
        ),
        "rps_lines_start_with_bulletpoint": lambda line: float(line.lstrip().startswith(tuple(RPS_BULLETS))),
    }
    found = {name: [(start, end, value(line)) for line, start, end in spans] for name, value in values.items()}
    return found if spans else found | {"rps_lines_start_with_bulletpoint": [(0, len(text), None)]}


def _of_words(words, text):
    count, counts = len(words), Counter(words)
    lorem = len(re.findall("lorem ipsum", text, re.IGNORECASE)) if "lorem ipsum" in text else 0
    entropy = sum(-times / count * math.log(times / count) for times in counts.values())
    return {
        "rps_doc_word_count": count,
        "rps_doc_mean_word_length": share(sum(map(len, words)), count),
        "rps_doc_frac_unique_words": share(len(counts), count),
        "rps_doc_unigram_entropy": round(entropy, 8) if words else None,
        "rps_doc_lorem_ipsum": share(lorem, len(text), 0.0),
        "required_stop_words": len(REQUIRED & set(words)),
    }


def _grams(words, size):
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


def _top(words, size):
    grams = _grams(words, size)
    counts = Counter(grams)
    best = max(grams, key=counts.__getitem__, default=None)
    if best is None or counts[best] < 2:
        return 0.0
    return share(sum(map(len, best)) * counts[best], sum(map(len, words)))


def _duplicated(words, size):
    grams = _grams(words, size)
    counts = Counter(grams)
    inside = {place + step for place, gram in enumerate(grams) if counts[gram] > 1 for step in range(size)}
    return share(sum(len(words[place]) for place in inside), sum(map(len, words)), 0.0)


def _of_tokens(text):
    tokens = tokens_of(text)
    with_letter = sum(bool(re.search("[a-zA-Z]", token)) for token in tokens)
    symbols = text.count("#") + text.count("...") + text.count("\u2026")
    return {
        "alphanumeric_fraction": share(sum(c.isalnum() for c in text), len(text)),
        "rps_doc_num_sentences": float(sum(bool(re.search(r"\w", run)) for run in re.split("[.!?]", text))),
        "rps_doc_symbol_to_word_ratio": share(symbols, len(tokens)),
        "rps_doc_frac_no_alph_words": round(1.0 - with_letter / len(tokens), 8) if tokens else None,
        "rps_doc_frac_all_caps_words": share(sum(token.isupper() for token in tokens), len(tokens)),
        "rps_doc_curly_bracket": share(text.count("{") + text.count("}"), len(text), 0.0),
    }


def _of_lines(text):
    lines, pieces = lines_of(text), text.split("\n")
    filled = [piece for piece in pieces if piece.strip()]
    bare = [piece.strip() for piece in filled]
    paragraphs = [paragraph.strip() for paragraph in re.split("\n\n+", text) if paragraph.strip()]
    ellipses = sum(line.rstrip().endswith(("...", "\u2026")) for line in lines)
    return {
        "line_count": len(filled),
        "line_length_max": max(map(len, pieces)),
        "line_length_mean": share(sum(map(len, pieces)), len(pieces)),
        "line_terminal_fraction": share(sum(line.endswith(tuple('.!?"\u201d')) for line in bare), len(bare)),
        "line_short_fraction": share(sum(len(line) < 30 for line in filled), len(filled)),
        "line_bullet_fraction": share(sum(line.startswith(tuple(RPS_BULLETS + "*-")) for line in bare), len(bare)),
        **_repeated("line", bare),
        **_repeated("paragraph", paragraphs),
        "javascript_lines": sum("javascript" in words_of(line) for line in lines),
        "rps_doc_frac_lines_end_with_ellipsis": share(ellipses, len(lines)),
    }


def _repeated(unit, pieces):
    again = [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]
    return {
        f"{unit}_duplicate_fraction": share(len(again), len(pieces)),
        f"{unit}_duplicate_char_fraction": share(sum(map(len, again)), sum(map(len, pieces))),
    }


def _stop_words(text, stop_words):
    tokens = tokens_of(text)
    return share(sum(token in stop_words for token in tokens), len(tokens), 0.0) if words_of(text) else 0.0


def _bad_words(words, bad_words):
    sizes = {entry.count(" ") + 1 for entry in bad_words}
    return float(sum(" ".join(gram) in bad_words for size in sizes for gram in _grams(words, size)))
