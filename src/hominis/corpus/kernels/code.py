"""What the rules on code ask about the bytes of one file, counted in one pass."""

from __future__ import annotations

import string

import numpy as np

from hominis.corpus.kernels.compiled import kernel

U8 = np.ndarray[tuple[int], np.dtype[np.uint8]]

_LETTER, _DIGIT, _BASE64, _GLUE = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)
_RUN, _NEWLINE, _RETURN, _BACKSLASH, _ZERO, _X, _U = 64, 10, 13, 92, 48, 120, 117


def _classes() -> U8:
    found = np.zeros(256, np.uint8)
    letters, digits = string.ascii_letters.encode(), string.digits.encode()
    for bit, members in (
        (_LETTER, letters),
        (_DIGIT, digits),
        (_BASE64, letters + digits + b"+/"),
        (_GLUE, b" \t\r\n\"',\\;.#*"),
    ):
        found[list(members)] |= bit
    return found


CLASSES = _classes()


@kernel
def measure_code(raw: U8, classes: U8) -> tuple[int, int, int, int, int, int, int]:
    r"""Return counts of a file's UTF-8 bytes, ``classes`` being ``CLASSES``.

    Returns:
        ASCII letters, ASCII digits, lines (as ended by \n, \r\n or \r), characters of the longest line, and bytes that
        look like base64 or long hexadecimal numbers, of the longest block of lines and in all: runs of at least 64
        with letters and digits, in a block if nothing but quotes and the like stands between them. At last,
        characters of bytes written as ``0x1f,``, ``\x1f`` or ``\u001f``.
    """
    letters = digits = lines = longest = line = 0
    run = run_letters = run_digits = block = widest = encoded = escapes = 0
    glued = False
    before = np.uint8(0)
    for byte in raw:
        kind = classes[byte]
        is_letter, is_digit = 1 if kind & _LETTER else 0, 1 if kind & _DIGIT else 0
        letters += is_letter
        digits += is_digit
        if kind & _BASE64:
            run += 1
            run_letters += is_letter
            run_digits += is_digit
            if byte in (_X, _U) and (before == _BACKSLASH or (before == _ZERO and byte == _X)):
                escapes += 4 if byte == _X and before == _BACKSLASH else 6
        else:
            if run:
                if run >= _RUN and run_letters and run_digits:
                    block = block + run if glued else run
                    encoded += run
                    widest = max(widest, block)
                    glued = True
                else:
                    glued = False
                run = run_letters = run_digits = 0
            glued = glued and kind & _GLUE != 0
        if byte in (_NEWLINE, _RETURN):
            if byte == _RETURN or before != _RETURN:
                lines += 1
            longest = max(longest, line)
            line = 0
        elif byte & 0xC0 != 0x80:
            line += 1
        before = byte
    if run >= _RUN and run_letters and run_digits:
        encoded += run
        widest = max(widest, block + run if glued else run)
    if line:
        lines += 1
    return letters, digits, lines, max(longest, line), widest, encoded, escapes
