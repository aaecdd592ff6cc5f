"""Where in a text mathematics is."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\(?:(begin|end)\{([a-z]+)\*?\}|.)|\$\$?|\n[ \t]*\n", re.S)
_ENVIRONMENTS = ("equation", "align", "eqnarray", "gather", "multline", "flalign", "alignat", "displaymath", "math")
_OPENING, _CLOSING = ("\\[", "\\("), ("\\]", "\\)")


class Mathematics:
    """Says of positions in a text, asked for in their order, whether mathematics is there.

    Only what the text shows is known, not what macros hide; an empty line ends what began with a dollar.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._read = 0
        self._inline = self._display = False

    def at(self, position: int) -> bool:
        """Say whether a position is in mathematics."""
        for token in _TOKEN.finditer(self._text, self._read, position):
            found = token[0]
            if token[1]:
                self._display = token[1] == "begin" if token[2] in _ENVIRONMENTS else self._display
            elif found[0] == "$":
                self._inline = not self._inline
            elif found[0] == "\n":
                self._inline = False
            elif found in _OPENING or found in _CLOSING:
                self._inline = found in _OPENING
        self._read = max(self._read, position)
        return self._inline or self._display
