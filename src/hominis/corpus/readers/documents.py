"""A raw file's documents, whatever its format: the same rows in the same order at every reading."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from hominis.corpus.readers import archives, records
from hominis.corpus.readers.markup import html_text, is_html
from hominis.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_BYTES = 2**20
_BATCH_DOCUMENTS = 2**15

_BROKEN = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError, OSError)

_ARCHIVES = {
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"): archives.tar,
    (".whl", ".zip"): archives.wheel,
    (".deb",): archives.deb,
}
_JSON_LINES = (".jsonl", ".json.gz", ".jsonl.gz", ".jsonl.zst", ".jsonl.xz")
_PLAIN = (".txt", ".md", ".rst", ".tex", ".html", ".htm", ".txt.gz")


@dataclass
class Documents:
    """The documents of one raw file.

    Iterating yields record batches with columns ``id`` (``<source>/<path>``), ``path`` and ``text``, of a
    megabyte or more each; ``skipped`` counts, after that, the records that hold no document, by reason.

    Args:
        path: the raw file; its ending tells its format.
        source: the name that document ids begin with.
        include: patterns of paths in an archive; ``!`` before a pattern excludes.
        text_field: the field or column of the text, for JSON lines and Parquet.
        limit: the longest document to take, in bytes.

    Raises:
        InputError: the file is damaged or of no known format, or none of its records can be read.
    """

    path: Path
    source: str
    include: Sequence[str] = ()
    text_field: str = "text"
    limit: int = 8 * 2**20
    skipped: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self.skipped.clear()
        paths: list[str] = []
        texts: list[str] = []
        held = 0
        found = False
        for path, text in self._checked():
            paths.append(path)
            texts.append(text)
            held += len(text)
            if held >= _BATCH_BYTES or len(texts) >= _BATCH_DOCUMENTS:
                yield self._batch(paths, texts)
                paths, texts, held, found = [], [], 0, True
        if texts:
            yield self._batch(paths, texts)
        elif not found:
            raise self._nothing()

    def _batch(self, paths: list[str], texts: list[str]) -> pa.RecordBatch:
        import pyarrow as pa

        ids = [f"{self.source}/{path}" for path in paths]
        return pa.RecordBatch.from_arrays(
            [pa.array(ids, pa.string()), pa.array(paths, pa.string()), pa.array(texts, pa.large_string())],
            names=["id", "path", "text"],
        )

    def _nothing(self) -> InputError:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(self.skipped.items()))
        return InputError(
            f"no document can be read from source {self.source!r}" + (f" (skipped: {reasons})" if reasons else ""),
            where=self.path.name,
            remedy="check the source's file, its include patterns and its text_field",
        )

    def _checked(self) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for path, content, reason in self._records():
            text, problem = (None, reason) if reason else self._decoded(path, content)
            problem = problem or ("repeated_path" if path in seen else "")
            if text is None or problem:
                self.skipped[problem] += 1
                continue
            seen.add(path)
            yield path, text

    def _decoded(self, path: str, content: str | bytes | None) -> tuple[str | None, str]:
        if content is None:
            return None, "too_large"
        try:
            raw = content.encode("utf-8") if isinstance(content, str) else content
            text = html_text(raw) if is_html(path) else raw.decode("utf-8")
        except UnicodeError:
            return None, "not_utf8"
        if len(raw) > self.limit:
            return None, "too_large"
        return (text, "") if text.strip() else (None, "empty")

    def _records(self) -> Iterator[records.Record]:
        import pyarrow as pa

        try:
            yield from self._by_format()
        except (*_BROKEN, pa.ArrowException) as error:
            raise InputError(
                f"{self.path.name} is cut short or damaged: {error or type(error).__name__}",
                where=self.path,
                remedy="compare the file with its publisher's; correct sha256 and bytes of the source, fetch again",
            ) from error

    def _by_format(self) -> Iterator[records.Record]:
        name = self.path.name.lower()
        for endings, members in _ARCHIVES.items():
            if name.endswith(endings):
                for path, content in members(self.path, self._wanted, self.limit):
                    yield path, content, ""
                return
        if name.endswith(".parquet"):
            yield from records.parquet(self.path, self.text_field)
        elif name.endswith(_JSON_LINES):
            yield from records.json_lines(self.path, self.text_field, self.limit)
        elif name.endswith(_PLAIN):
            yield from records.plain(self.path, self.limit)
        else:
            known = [ending for group in _ARCHIVES for ending in group] + [".parquet", *_JSON_LINES, *_PLAIN]
            raise InputError(f"no reader for {self.path.name}", where=self.path, remedy=f"known: {', '.join(known)}")

    def _wanted(self, path: str) -> bool:
        takes = [pattern for pattern in self.include if not pattern.startswith("!")]
        leaves = [pattern[1:] for pattern in self.include if pattern.startswith("!")]
        taken = not takes or any(fnmatchcase(path, pattern) for pattern in takes)
        return taken and not any(fnmatchcase(path, pattern) for pattern in leaves)
