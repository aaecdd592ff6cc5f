"""What a reader rejects: counted by reason, a sample of each shown, fatal only above a share."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from hominis.errors import InputError

ABOUT = frozenset(("not_signals", "other_document"))
"""Reasons why what is published about a document isn't used; the document is."""

DAMAGE = ABOUT | frozenset(("truncated", "not_json", "not_object", "bad_utf8", "lone_surrogate", "no_text", "damaged"))
"""Reasons that say that a file isn't what it should be; the others say only that a record isn't what is sought."""

SAMPLES = 20
"""Rejects shown of each reason."""

BEGINNING = 200
"""Characters of a record that a reject shows."""

_COMPARE = "compare the file with its publisher's and fetch it again"
_REMEDIES = {
    "not_json": "every line is to be a JSON object, and the ending of the file to say how it is compressed",
    "not_object": "every line is to be a JSON object: write an array's items a line each (jq -c '.[]')",
    "bad_utf8": "the file is to be UTF-8, and its ending to say how it is compressed",
    "no_text": "set text_field to the field that holds the text, or correct the format; {path} has {beginning}",
    "licence_unknown": "give the source's row the licence of its files, as SPDX names it",
    "licence_not_permissive": "if you may use them, name their licences in the source's column licences",
    "no_main_file": "none of the files begins a document of LaTeX; without a format every one is read as it is",
    "too_large": "raise annotate.max_document_bytes",
    "truncated": "fetch the file again, as its publisher has it; then correct sha256 and bytes of the source",
}
"""What can be done about rejects of some reasons."""


@dataclass
class Rejects:
    """The rejected records of a file.

    Attributes:
        counts: by reason, all of them.
        samples: the first of each reason, in the file's order, as ``reason``, ``path``, ``beginning``.
        notes: by name, what was noted of documents that were taken.
    """

    counts: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, str]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, path: str, content: str | bytes | None) -> None:
        """Count a record that begins with ``content``."""
        self.counts[reason] += 1
        if self.counts[reason] > SAMPLES:
            return
        begin = content[: 4 * BEGINNING] if content else ""
        text = begin.decode("utf-8", "replace") if isinstance(begin, bytes) else begin
        shown = text[:BEGINNING].encode("utf-8", "replace").decode()
        self.samples.append({"reason": reason, "path": path, "beginning": shown})

    def clear(self) -> None:
        """Begin anew."""
        self.counts.clear()
        self.samples.clear()
        self.notes.clear()

    def with_those(self, others: Rejects) -> Rejects:
        """Return these and ``others``."""
        return Rejects(self.counts + others.counts, self.samples + others.samples, self.notes + others.notes)

    def summary(self) -> dict[str, int]:
        """Return the counts, sorted by reason."""
        return dict(sorted(self.counts.items()))

    def check(self, documents: int, most: float, where: Path, setting: str = "annotate.max_rejects") -> None:
        """Raise if more than the share ``most`` of a file's records is damaged.

        Raises:
            InputError: with the counts and the first damaged record.
        """
        damaged = {reason: count for reason, count in sorted(self.counts.items()) if reason in DAMAGE}
        records = documents + sum(count for reason, count in self.counts.items() if reason not in ABOUT)
        if sum(damaged.values()) <= most * records:
            return
        first = next(sample for sample in self.samples if sample["reason"] in DAMAGE)
        raise InputError(
            f"{sum(damaged.values())} of {records} records are damaged ({listed(damaged)}), more than the share "
            f"{most:g} that {setting} allows; the first is {first['path']}: {first['beginning'][:80]!r}",
            where=where,
            remedy=f"{self.remedy(damaged, _COMPARE)}; or raise {setting}",
        )

    def remedy(self, counts: Mapping[str, int], otherwise: str) -> str:
        """Return what can be done about the reason that most have, of those in ``counts``."""
        reason = max(counts, key=lambda reason: counts[reason], default="")
        if reason not in _REMEDIES:
            return otherwise
        first = next(sample for sample in self.samples if sample["reason"] == reason)
        return _REMEDIES[reason].format(path=first["path"], beginning=first["beginning"] or "null")

    def write(self, path: Path) -> None:
        """Write the samples as compressed JSON lines; equal samples give equal bytes."""
        lines = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in self.samples)
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def fields_of(record: Mapping[str, Any]) -> str:
    """Return how a record without a text is shown: by its fields and what they hold."""
    first = (f"{name} ({type(value).__name__})" for name, value in islice(record.items(), SAMPLES))
    return f"fields {', '.join(first)}" if record else "no fields"


def listed(counts: dict[str, int] | Counter[str]) -> str:
    """Return counts for a message."""
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(counts.items()))
