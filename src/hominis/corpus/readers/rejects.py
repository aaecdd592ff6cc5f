"""What a reader rejects: counted by reason, a sample of each shown, fatal only above a share."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hominis.errors import InputError

ABOUT = frozenset(("not_signals", "other_document"))
"""Reasons why what is published about a document isn't used; the document is."""

DAMAGE = ABOUT | frozenset(("truncated", "not_json", "not_object", "bad_utf8", "lone_surrogate", "no_text", "damaged"))
"""Reasons that say that a file isn't what it should be; the others say only that a record isn't what is sought."""

SAMPLES = 20
"""Rejects shown of each reason."""

BEGINNING = 200
"""Characters of a record that a reject shows."""


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
            remedy=f"compare the file with its publisher's and fetch it again; or raise {setting}",
        )

    def write(self, path: Path) -> None:
        """Write the samples as compressed JSON lines; equal samples give equal bytes."""
        lines = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in self.samples)
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def listed(counts: dict[str, int] | Counter[str]) -> str:
    """Return counts for a message."""
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(counts.items()))
