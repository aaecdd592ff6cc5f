"""The encoding of LaTeX files."""

from __future__ import annotations

import re

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f") + b"\x7f"
_DECLARED = re.compile(
    rb"\\(?:usepackage\s{0,9}\[([\w,-]{1,40})\]\s{0,9}\{inputenc|inputencoding\s{0,9}\{([\w-]{1,40}))\}"
)

_CODECS = {
    **{f"latin{part}": f"iso8859-{part}" for part in (2, 3, 4)},
    **{f"cp{page}": f"cp{page}" for page in (437, 850, 852, 855, 858, 865, 866, 1250, 1251, 1257)},
    "latin5": "iso8859-9",
    "latin9": "iso8859-15",
    "latin10": "iso8859-16",
    "applemac": "mac_roman",
    "macce": "mac_latin2",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
}
"""inputenc's names of 8-bit encodings → Python's; Latin-1 is read as its superset Windows-1252, as browsers do."""


def declared(content: bytes) -> str:
    """Return the codec of the 8-bit encoding that a file declares, else Windows-1252."""
    found = _DECLARED.search(content)
    name = (found[1] or found[2]).decode("ascii", "replace").rpartition(",")[2].lower() if found else ""
    return _CODECS.get(name, "cp1252")


def decoded(content: bytes, codec: str) -> tuple[str, bool]:
    r"""Return a file's text, with ``\n`` line ends and without control characters, and whether it is UTF-8.

    If it isn't, it is ``codec``, else Latin-1.

    What is valid UTF-8 is UTF-8, whatever the paper declares: 8-bit text that happens to be valid is very rare.
    """
    content = content.removeprefix(b"\xef\xbb\xbf").translate(None, _CONTROL)
    for name in ("utf-8", codec):
        try:
            return _lines(content.decode(name)), name == "utf-8"
        except UnicodeDecodeError:
            continue
    return _lines(content.decode("latin-1")), False


def _lines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\f", "\n")
