"""Text to tokens, exactly as the tokenizer does it, without doing the same word twice.

Byte-level BPE as trained by ``vocabulary`` never joins what its pattern splits, and its pattern always splits before
white space that follows something else. So a text can be cut there, and each piece, or word of an ASCII piece, looked
up: most have been seen before. A vocabulary with another pattern is left to the tokenizer alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Tokens = npt.NDArray[np.int32]

BLANK = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's white space."""
PIECE = re.compile(f"[{BLANK}]*[^{BLANK}]+|[{BLANK}]+")
WORD = re.compile(r"'(?:[stmd]|re|ve|ll)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII)
"""The pattern of ``ByteLevel`` for ASCII text; the published one is "Language Models are Unsupervised Multitask
Learners" (2019)."""
PATTERN = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
REMEMBERED = 1_000_000
"""Pieces, and words, remembered at a time: some 200 MB."""


class _Seen(dict[str, Sequence[int]]):
    """Tokens by text; what isn't there is computed."""

    def __init__(self, compute: Callable[[str], Sequence[int]]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, text: str) -> Sequence[int]:
        if len(self) >= REMEMBERED:
            self.clear()
        tokens = self[text] = self._compute(text)
        return tokens


class Encoder:
    """A tokenizer that remembers.

    Args:
        tokenizer: must not treat special tokens in a text as such (``encode_special_tokens``).
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._words = _Seen(lambda word: tokenizer.encode(word, add_special_tokens=False).ids)
        self._pieces = _Seen(self._piece)
        self._splits = _splits(json.loads(tokenizer.to_str()))

    def encode(self, texts: Sequence[str], end: int) -> list[Tokens]:
        """Return the tokens of each text and, after them, ``end``."""
        if self._splits:
            return [self._looked_up(text, end) for text in texts]
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array([*encoding.ids, end], np.int32) for encoding in found]

    def _looked_up(self, text: str, end: int) -> Tokens:
        pieces = map(self._pieces.__getitem__, PIECE.findall(text))
        return np.fromiter(chain(chain.from_iterable(pieces), (end,)), np.int32)

    def _piece(self, piece: str) -> Sequence[int]:
        if not piece.isascii():
            return self._words[piece]
        return [*chain.from_iterable(map(self._words.__getitem__, WORD.findall(piece)))]


def _splits(tokenizer: dict[str, Any]) -> bool:
    """Return whether a tokenizer is byte-level BPE with the pattern above and nothing before it."""
    pattern = tokenizer["pre_tokenizer"] or {}
    return tokenizer["normalizer"] is None and all(pattern.get(name) == value for name, value in PATTERN.items())
