"""A raw file's documents, whatever its format: the same rows in the same order at every reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.corpus.pipeline import batched
from hominis.corpus.readers import archives, arxiv, github, records, redpajama
from hominis.corpus.readers.lines import JSON_LINES
from hominis.corpus.readers.markup import text_of
from hominis.corpus.readers.records import Chosen, Reading, Record
from hominis.corpus.readers.rejects import Rejects, listed
from hominis.errors import InputError
from hominis.store.types import Artefact

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[Path, Reading, int, Chosen], Iterator[Record]]
"""From a raw file, what its source's row says about it, the longest document in bytes and which to take, to records."""

FORMATS: dict[str, Reader] = {"redpajama": redpajama.documents, "github": github.records, "arxiv": arxiv.records}
"""Readers of the formats that a source's row names; without a name the file's ending tells the reader."""

_CHECK = "check the source's file (damaged: fetch it again), its format, include patterns and text_field"
_PLAIN = (".txt", ".md", ".rst", ".tex", ".html", ".htm", ".txt.gz")


def schema() -> pa.Schema:
    """Return the columns of a batch of documents."""
    import pyarrow as pa

    names = ("id", "path", "text", "licence", "language", "language_score", "domain", "url", "title", "digest")
    kinds = {"text": pa.large_string(), "language_score": pa.float64()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])


@dataclass
class Documents:
    """The documents of one raw file.

    Iterating yields record batches of up to 4 MB each, or of one longer document, with the columns ``id`` (as
    published, or ``<source>/<path>``), ``path``, ``text`` and ``licence``, and where the file gives them ``language``,
    ``language_score``, ``domain``, ``url``, ``title`` and ``digest``; ``rejects`` has, after that, the records that
    hold no document.

    Args:
        path: the raw file.
        source: the name that document ids begin with.
        reading: how it is read.
        limit: the longest document to take, in bytes.
        chosen: if it was read before, the paths of those of its documents to read again, in the file's order.

    Raises:
        InputError: the file is damaged or of no known format, or none of its records can be read.
    """

    path: Path
    source: str
    reading: Reading = field(default_factory=Reading)
    limit: int = 8 * 2**20
    rejects: Rejects = field(default_factory=Rejects)
    chosen: Iterable[str] | None = None

    @classmethod
    def of(cls, raw: Artefact, limit: int) -> Documents:
        """Return the documents of a part of stage ``fetch``, read as its source's row says."""
        row = raw.receipt.params
        given = {said.name: row[said.name] for said in fields(Reading)}
        given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        return cls(raw.path / row["file"], raw.part, Reading(**given), limit)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self.rejects.clear()
        found = False
        for held in batched(self._checked(), lambda record: len(record.text or "")):
            found = True
            yield self._batch(held)
        if not found and self.chosen is None:
            raise self._nothing()

    def _batch(self, held: Sequence[Record]) -> pa.RecordBatch:
        import pyarrow as pa

        columns: dict[str, Sequence[Any]] = dict(zip(Record._fields, zip(*held, strict=True), strict=True))
        columns["id"] = [record.id or f"{self.source}/{record.path}" for record in held]
        columns["licence"] = [record.licence or self.reading.licence for record in held]
        texts = pa.array([text.encode() for text in columns["text"]], pa.large_binary())  # ten times as fast as of str
        columns["text"] = texts.view(pa.large_string())
        return pa.RecordBatch.from_pydict({name: columns[name] for name in schema().names}, schema())

    def _nothing(self) -> InputError:
        reasons = listed(self.rejects.counts)
        return InputError(
            f"no document can be read from source {self.source!r}" + (f" (skipped: {reasons})" if reasons else ""),
            where=self.path.name,
            remedy=self.rejects.remedy(self.rejects.counts, _CHECK),
        )

    def _checked(self) -> Iterator[Record]:
        seen: set[str] = set()
        numbered = self._numbered()
        for record in self._records():
            text, problem = (None, record.reason) if record.reason else self._decoded(record.path, record.text)
            if not numbered:
                problem = problem or ("repeated_path" if record.path in seen else "")
                seen.add(record.path)  # the first of a path is that path's, even if it is rejected
            if text is None or problem:
                self.rejects.add(problem, record.path, record.text)
                continue
            if record.note:
                self.rejects.notes[record.note] += 1
            yield record if text is record.text else record._replace(text=text)

    def _numbered(self) -> bool:
        """Return whether paths end with the number of a record: none comes twice, and none need be remembered."""
        rows = self.path.name.lower().endswith((".parquet", *JSON_LINES))
        return rows and self.reading.format in ("", "redpajama")

    def _decoded(self, path: str, content: str | bytes | None) -> tuple[str | None, str]:
        if content is None:
            return None, "too_large"
        try:
            if isinstance(content, bytes):
                content = content.decode() if self.reading.format else text_of(path, content)
            size = len(content) if content.isascii() else len(content.encode())
        except UnicodeError:
            return None, "not_utf8"
        if size > self.limit:
            return None, "too_large"
        if "\0" in content:
            return None, "nul_byte"
        return (content, "") if content and not content.isspace() else (None, "empty")

    def _records(self) -> Iterator[Record]:
        import pyarrow as pa

        try:
            yield from self._by_format()
        except (*archives.BROKEN, pa.ArrowException) as error:
            raise InputError(
                f"{self.path.name} is cut short or damaged: {error or type(error).__name__}",
                where=self.path,
                remedy="compare the file with its publisher's; correct sha256 and bytes of the source, fetch again",
            ) from error

    def _by_format(self) -> Iterator[Record]:
        chosen = Chosen(self.chosen)
        if self.reading.format:
            yield from FORMATS[self.reading.format](self.path, self.reading, self.limit, chosen)
            return
        name = self.path.name.lower()
        members = archives.members(self.path, archives.included(self.reading.include), self.limit)
        if members is not None:
            yield from (Record(path, content) for path, content in members if chosen.take(path))
        elif name.endswith(".parquet"):
            yield from records.parquet(self.path, self.reading, self.limit, chosen)
        elif name.endswith(JSON_LINES):
            yield from records.json_lines(self.path, self.reading, self.limit, chosen)
        elif name.endswith(_PLAIN):
            yield from records.plain(self.path, self.reading, self.limit, chosen)
        else:
            known = [ending for group in archives.ARCHIVES for ending in group] + [".parquet", *JSON_LINES, *_PLAIN]
            raise InputError(f"no reader for {self.path.name}", where=self.path, remedy=f"known: {', '.join(known)}")
