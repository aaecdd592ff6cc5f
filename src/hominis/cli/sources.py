"""``hominis sources``: write the table of sources for files at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group("sources", short_help="Write the rows of the table of sources for files on this machine.")
def command() -> None:
    """Write the rows of the table of sources (fetch.sources) for files on this machine, hashed, to standard output.

    \b
    Examples:
      hominis sources redpajama /data/rpv2 --snapshot 2023-06 --language en > sources.csv
      hominis sources redpajama /data/rpv2 --language it --bucket head --corpus italian > italian.csv
    """


@command.command("redpajama", short_help="Describe a mirror of RedPajama-v2.")
@click.argument("root", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--corpus", default="web", show_default=True, help="The corpus that the documents belong to.")
@click.option("--snapshot", multiple=True, metavar="YEAR-WEEK", help="Only this one; may be repeated.")
@click.option("--language", multiple=True, metavar="CODE", help="Only this one; may be repeated.")
@click.option("--bucket", multiple=True, type=click.Choice(["head", "middle", "tail"]), help="Only this one.")
def redpajama(
    root: Path, corpus: str, snapshot: tuple[str, ...], language: tuple[str, ...], bucket: tuple[str, ...]
) -> None:
    """Describe a mirror of RedPajama-v2, the folder that has its `documents`, `quality_signals` and `duplicates`.

    \b
    Example:
      hominis sources redpajama /data/rpv2 --snapshot 2023-06 --language en > sources.csv
    """
    from hominis.corpus import mirror

    rows = list(mirror.redpajama(root, corpus, snapshot, language, bucket))
    mirror.write(rows, sys.stdout)
