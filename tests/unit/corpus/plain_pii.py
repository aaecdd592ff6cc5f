"""Personal data as plain Python finds it, over characters, slowly: what the tests compare with."""

import ipaddress
import re
from importlib.resources import files

from hominis.corpus.kernels.pii import EMAIL, IBAN, IP_ADDRESS, KEY, PHONE
from hominis.corpus.pii import KINDS
from hominis.corpus.pii.addresses import address
from hominis.corpus.pii.emails import email
from hominis.corpus.pii.ibans import iban
from hominis.corpus.pii.keys import key
from hominis.corpus.pii.phones import phone

LATIN = "A-Za-z0-9\u00c0-\u027f"
DOMAINS = {
    line for line in files("hominis.corpus.pii").joinpath("top_level_domains.txt").read_text().split("\n") if line
}


def asked_everywhere(text: str) -> list[tuple[str, int, int]]:
    """Ask every kind's function at every byte of a text, until nothing more is found."""
    data, found, before = bytearray(text.encode()), [], -1
    while len(found) > before:
        before = len(found)
        for kind, verify in ((KEY, key), (EMAIL, email), (IBAN, iban), (IP_ADDRESS, address), (PHONE, phone)):
            for at in range(len(data)):
                if (kind != EMAIL or data[at] == ord("@")) and (span := verify(memoryview(bytes(data)), at)):
                    data[slice(*span)] = b"<" * (span[1] - span[0])
                    found.append((*span, KINDS[kind]))
    raw = text.encode()
    return [(kind, len(raw[:start].decode()), len(raw[:end].decode())) for start, end, kind in sorted(found)]


def emails(text: str) -> set[tuple[int, int]]:
    """Return where addresses are, each @ looked at alone."""
    found = set()
    for at in (place for place, character in enumerate(text) if character == "@"):
        name = re.search(rf"[{LATIN}._%+-]*\Z", text[:at])[0]
        domain = re.match(rf"[{LATIN}-]{{1,63}}(\.[{LATIN}-]{{1,63}})+", text[at + 1 :])
        if not domain or len(name.encode()) > 64:
            continue
        name = name.split("..")[-1].lstrip(".%+-")
        if text[: at - len(name)].endswith("\\") and name[:1] in ("n", "r", "t"):
            name = name[1:]
        labels = domain[0].lower().split(".")
        ends = [
            number
            for number in range(2, len(labels) + 1)
            if labels[number - 1] in DOMAINS and not any(re.search(r"^-|-$", label) for label in labels[:number])
        ]
        if not name or name == "git" or not ends or re.fullmatch(r"\dx", labels[0], re.ASCII):
            continue
        labels = labels[: ends[-1]]
        end = at + 1 + len(".".join(labels))
        documentation = labels[-2] == "example" and labels[-1] in ("com", "net", "org")
        called = text[end : end + 1] == "(" and labels[-1] not in ("com", "net", "org", "edu", "gov")
        if not documentation and not called:
            found.add((at - len(name), end))
    return found


def ibans(text: str) -> set[tuple[int, int]]:
    """Return where valid numbers of Italy (27), Germany (22) and Norway (15) are; other countries aren't sought."""
    found = set()
    for country, length in (("IT", 27), ("DE", 22), ("NO", 15)):
        form = rf"(?<![A-Za-z0-9_]){country}\d\d([ \u00a0-]?[A-Z0-9]){{{length - 4}}}(?![A-Za-z0-9])"
        for match in re.finditer(form, text, re.ASCII):
            plain = re.sub(r"[^A-Z0-9]", "", match[0])
            if int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1:
                found.add(match.span())
    return found


def public_addresses(text: str) -> set[str]:
    """Return what ``ipaddress`` takes for public among the space-separated words of a text."""
    found = set()
    for word in text.split(" "):
        try:
            parsed = ipaddress.ip_address(word)
        except ValueError:
            continue
        site_local = parsed.version == 6 and parsed.is_site_local
        if parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or site_local):
            found.add(word)
    return found
