"""Comments out, verbatim text aside: what is left can be read command by command."""

from __future__ import annotations

import re

from hominis.corpus.latex.marks import GONE, hold

_VERBATIM = r"verbatim\*?|Verbatim\*?|BVerbatim|LVerbatim|lstlisting|minted|alltt|comment|filecontents\*?"
_TOKEN = re.compile(
    rf"%|\\(?:begin\{{({_VERBATIM})\}}|(verb\*?|lstinline)(?![a-zA-Z])|(url|href|path|nolinkurl)\{{|[^a-zA-Z])", re.S
)
_DROPPED = ("comment", "filecontents", "filecontents*")
_WORD = re.compile(r"\\[a-zA-Z]+\Z")
_LONGEST_WORD, _LONGEST_INLINE, _LONGEST_ADDRESS = 40, 1000, 3000


def without_comments(text: str, kept: list[str]) -> str:
    r"""Return LaTeX without comments, and with its verbatim pieces put away in ``kept``.

    ``\%`` is no comment, nor is a ``%`` in verbatim text or an address. A line that is only a comment goes as a whole;
    a comment after text leaves its line end, unless it hides one within a word (``exam%`` / ``ple``), as in TeX.
    """
    out: list[str] = []
    last, unfinished = 0, set[str]()
    for token in _TOKEN.finditer(text):
        start = token.start()
        if start < last:
            continue
        if token[0] == "%":
            end, piece = _after_comment(text, last, start, out)
        elif token[1] and token[1] not in unfinished:
            end, piece = _block(text, token, kept)
            if end < 0:
                unfinished.add(token[1])
        elif token[2]:
            end, piece = _inline(text, token, kept)
        elif token[3]:
            end, piece = text.find("}", token.end(), token.end() + _LONGEST_ADDRESS), None
        else:
            continue
        if end >= 0:
            out += (text[last:start] if token[0] != "%" else "", text[start:end] if piece is None else piece)
            last = end
    return "".join(out) + text[last:]


def _after_comment(text: str, last: int, start: int, out: list[str]) -> tuple[int, str]:
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    before = text[last:start].rstrip(" \t")
    if before.endswith("\n") or (not before and (last == 0 or text[last - 1] == "\n")):
        out.append(before)
        return end + 1, ""
    out.append(text[last:start])
    after = end + 1
    while text[after : after + 1] in (" ", "\t"):
        after += 1
    splits = text[start - 1].isalnum() and text[after : after + 1].isalnum()
    if splits and not _WORD.search(text, max(last, start - _LONGEST_WORD), start):
        return after, ""
    return end, ""


def _block(text: str, token: re.Match[str], kept: list[str]) -> tuple[int, str]:
    closing = f"\\end{{{token[1]}}}"
    end = text.find(closing, token.end())
    if end < 0:
        return -1, ""
    end += len(closing)
    return end, GONE if token[1] in _DROPPED else hold(kept, text[token.start() : end])


def _inline(text: str, token: re.Match[str], kept: list[str]) -> tuple[int, str]:
    begin = token.end()
    mark = text[begin : begin + 1]
    if not mark or mark.isalnum() or mark.isspace() or mark == "[":
        return -1, ""
    end = text.find("}" if mark == "{" else mark, begin + 1, begin + _LONGEST_INLINE)
    if end < 0 or "\n" in text[begin:end]:
        return -1, ""
    return end + 1, hold(kept, text[token.start() : end + 1])
