"""``hominis signals``: measure the documents of files, to compare with what others publish."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from hominis.errors import ConfigError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("signals", short_help="Measure documents; write RedPajama-v2's quality signals as JSON lines.")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here; .gz compresses.")
@click.option("--ut1", type=_FILE, help="JSON object: domain to the id of its set of UT1 categories.")
@click.option("--text-field", default="raw_content", show_default=True, help="Field of the text.")
@click.option(
    "--max-rejects", type=click.FloatRange(0, 1), help="Share of a file's lines that may be damaged.  [as annotate]"
)
def command(
    files: tuple[Path, ...], output: Path | None, ut1: Path | None, text_field: str, max_rejects: float | None
) -> None:
    """Measure documents and write RedPajama-v2's quality signals in its published form.

    FILE holds JSON lines in the layout of RedPajama-v2's documents, compressed or not. Each document gives a line with
    `id`, `id_int`, `metadata` and `quality_signals`: a name and its `[[start, end, value], ...]`. Lines that hold no
    document are left out, counted on standard error, and fatal above a share.

    \b
    Examples:
      hominis signals 2023-06/0000/en_head.json.gz | head -1
      hominis signals --ut1 domains.json -o signals.json.gz documents.jsonl
    """
    from hominis.config.corpus import AnnotateSection
    from hominis.corpus.domains import read_domains
    from hominis.corpus.measure import measured
    from hominis.corpus.readers.rejects import Rejects, listed

    section = AnnotateSection()
    most = section.max_rejects if max_rejects is None else max_rejects
    domains = read_domains(ut1) if ut1 else {}
    if output and any(output.resolve() == path.resolve() for path in files):
        raise ConfigError(f"--output {output} is one of the files to read", remedy="write to another")
    if output and not output.parent.is_dir():
        raise ConfigError(f"--output {output}: there is no folder {output.parent}", remedy="make it first")
    with _opened(output) as stream:
        for path in files:
            rejects, count = Rejects(), 0
            for line in measured(path, text_field, section.max_document_bytes, domains, rejects):
                stream.writelines(line)
                count += 1
            if rejects.counts:
                click.echo(f"{path}: left out {listed(rejects.counts)}", err=True)
            rejects.check(count, most, path, "--max-rejects")


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, or a file that gets its name when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    aside = output.with_name(f".{output.name}.part")
    try:
        with aside.open("wb") as file:
            if output.suffix == ".gz":
                with gzip.GzipFile("", "wb", 6, file, mtime=0) as stream:
                    yield stream  # type: ignore[misc]
            else:
                yield file
        aside.replace(output)
    finally:
        aside.unlink(missing_ok=True)
