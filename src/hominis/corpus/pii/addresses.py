"""Public IP addresses; what IANA's registries set apart (private, documentation, multicast, …) stays."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

_V4 = re.compile(
    rb"(?<![A-Za-z0-9_.])\d{1,3}(?:\.\d{1,3}){3}"
    rb"(?![A-Za-z0-9_])(?!\.[0-9])(?!-[0-9]*[A-Za-z])(?!\.(?:tar|t?gz|zip|deb|rpm|jar|whl|exe|dll|so|dmg|apk)(?![A-Za-z]))"
)
_V6 = re.compile(
    rb"(?<![A-Za-z0-9_.])(?<![0-9A-Fa-f:]:)[0-9A-Fa-f]{4}(?:(?:::?[0-9A-Fa-f]{1,4}){1,7}(?:::)?|::(?!:))(?![A-Za-z0-9_])"
)

_VERSION = re.compile(
    rb"(?:[A-Za-z_][-_/]|[=<>~!^]=[ ]?|\xc2\xa7[ ]?"
    rb"|(?<![A-Za-z])(?:versions?|versione|ver|release|rev|revision|build|v|section|chapter|clause|oid|objectidentifier|asn\.?1)"
    rb"[ .:=\"'(]{0,3})\Z",
    re.IGNORECASE,
)
_NEAR = 24
_HOST = re.compile(
    rb"(?:(?://|@)\[?|(?<![A-Za-z.])(?:ip|ipv4|addr|address|host|server|client|dns|gateway|peer|from|ping|nameserver)"
    rb"[ :=\"'(\[]{0,4})\Z",
    re.IGNORECASE,
)
_PORT = re.compile(rb":\d{2,5}(?![0-9.])|/(?:[89]|[12]\d|3[0-2])(?![0-9.])")


def address(text: memoryview, at: int) -> tuple[int, int] | None:
    """Return the span of the public address that begins at a byte.

    Four numbers may be a version or a section. They are taken for one after a word for it, after ``==`` or a name with
    ``-``, ``_`` or ``/``; and where none has three digits (2.7 % of public addresses), unless a word for a host stands
    before or a port or prefix length follows.
    """
    before = text[max(0, at - _NEAR) : at]
    if found := _V6.match(text, at):
        return found.span() if _is_public(found[0].decode()) else None
    found = _V4.match(text, at)
    if not found or not _is_public(found[0].decode()) or _VERSION.search(before):
        return None
    sure = any(len(number) == 3 for number in found[0].split(b"."))
    return found.span() if sure or _HOST.search(before) or _PORT.match(text, found.end()) else None


@lru_cache(2**14)
def _is_public(written: str) -> bool:
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        return False
    site_local = found.version == 6 and found.is_site_local
    return found.is_global and not (found.is_multicast or found.is_reserved or site_local)
