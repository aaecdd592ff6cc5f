"""E-mail addresses, of mailboxes that can exist: the domain ends in a top-level domain of the DNS."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_LATIN = rb"[\xc3-\xc9][\x80-\xbf]"  # U+00C0 to U+027F: names have these letters, and most are from Latin scripts
_NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-") | {*range(0x80, 0xC0)}
_NO_BEGINNING = b".%+-" + bytes(range(0x80, 0xC0))
_LEADS = frozenset(range(0xC3, 0xCA))
_DOMAIN = re.compile(rb"(?:[A-Za-z0-9-]|%b){1,63}(?:\.(?:[A-Za-z0-9-]|%b){1,63})+" % (_LATIN, _LATIN))
_LONGEST_NAME = 64
_DOCUMENTATION = ((b"example", b"com"), (b"example", b"net"), (b"example", b"org"))
_BEFORE_PARENTHESIS = (b"com", b"net", b"org", b"edu", b"gov")


def email(text: memoryview, at: int) -> tuple[int, int] | None:
    """Return the span of the address whose ``@`` is at a byte.

    None for the domains of documentation (RFC 2606), for ``git@`` (an address of programs), for an image's scale
    (``icon@2x.ai``) and for what is called (``left@right.to(device)``).
    """
    start = _start(text, at)
    found = _DOMAIN.match(text, at + 1)
    if start is None or not found:
        return None
    labels = found[0].lower().split(b".")
    while len(labels) > 1 and not _ends(labels):
        labels.pop()
    end = at + 1 + len(b".".join(labels))
    if len(labels) == 1 or tuple(labels[-2:]) in _DOCUMENTATION or bytes(text[start:at]) == b"git":
        return None
    called = end < len(text) and text[end] == ord("(") and labels[-1] not in _BEFORE_PARENTHESIS
    return None if called or re.fullmatch(rb"\dx", labels[0]) else (start, end)


def _start(text: memoryview, at: int) -> int | None:
    """Return where the name before ``@`` begins; None if there is none, or it is longer than RFC 5321 allows."""
    start = at
    while start and at - start <= _LONGEST_NAME and (text[start - 1] in _NAME or text[start - 1] in _LEADS):
        start -= 1
    if at - start > _LONGEST_NAME:
        return None
    name = bytes(text[start:at]).rpartition(b"..")[2].lstrip(_NO_BEGINNING)
    start = at - len(name)
    if start and text[start - 1] == ord("\\") and name[:1] in (b"n", b"r", b"t"):  # a new line written in code
        return start + 1 if len(name) > 1 else None
    return start if name else None


def _ends(labels: list[bytes]) -> bool:
    return labels[-1] in _top_level() and not any(label.startswith(b"-") or label.endswith(b"-") for label in labels)


@cache
def _top_level() -> frozenset[bytes]:
    lines = files(__package__).joinpath("top_level_domains.txt").read_bytes().splitlines()
    return frozenset(line for line in lines if not line.startswith(b"#"))
