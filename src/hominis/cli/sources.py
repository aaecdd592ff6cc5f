"""``hominis sources``: write the table of sources for files at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hominis.errors import ConfigError


@click.group("sources", short_help="Write the rows of the table of sources for files on this machine.")
def command() -> None:
    """Write the rows of the table of sources (fetch.sources) for files on this machine, hashed, to standard output.

    \b
    Examples:
      hominis sources redpajama /data/rpv2 --snapshot 2023-06 --language en > sources.csv
      hominis sources redpajama /data/rpv2 --language it --bucket head --corpus italian > italian.csv
      hominis sources folder ~/src/click ~/src/flask --licence BSD-3-Clause > code.csv
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


@command.command("folder", short_help="Describe checkouts and other folders of sources.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--licence", required=True, metavar="SPDX", help="Of what a file doesn't say otherwise, such as MIT.")
@click.option("--name", default="", help="The source's name; by default the folder's.")
@click.option("--corpus", default="code", show_default=True, help="The corpus that the documents belong to.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["github", "arxiv", "text"]),
    default="github",
    show_default=True,
    help="What is read: code, papers in LaTeX, or all text.",
)
@click.option("--include", multiple=True, metavar="PATTERN", help="Only such paths, '*.py'; '!docs/*' takes some out.")
def folder(paths: tuple[Path, ...], licence: str, name: str, corpus: str, form: str, include: tuple[str, ...]) -> None:
    """Describe folders, each a source: git checkouts, unpacked source distributions.

    Links are not followed; hidden names (`.git`, `.env`), caches and environments are left out. A folder whose files
    change afterwards is refused by its hash: describe it again.

    \b
    Examples:
      hominis sources folder ~/src/click ~/src/flask --licence BSD-3-Clause > code.csv
      hominis sources folder ~/papers --licence CC-BY-4.0 --format arxiv --corpus arxiv > papers.csv
      hominis sources folder ~/notes --licence MIT --format text --include '*.md' --corpus web > notes.csv
    """
    from hominis.corpus import mirror

    if name and len(paths) > 1:
        raise ConfigError(f"one name, {name}, for {len(paths)} folders", where="--name", remedy="leave it out")
    reading = {"format": "" if form == "text" else form, "include": include}
    rows = list(mirror.folders(paths, corpus, licence, name, **reading))
    mirror.write(rows, sys.stdout)
