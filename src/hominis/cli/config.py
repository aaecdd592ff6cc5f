"""``hominis config``: what can be set, and to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hominis.cli.common import run_option

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@click.group("config", short_help="Print what can be set: schema, defaults, a run with all its settings.")
def command() -> None:
    """Print what can be set.

    \b
    Examples:
      hominis config default > my-run.yaml
      hominis config schema > schema.json
      hominis config show --config my-run.yaml
    """


@command.command("schema")
def schema() -> None:
    """Print the JSON schema of a run."""
    from hominis.config.defaults import schema_text

    click.echo(schema_text(), nl=False)


@command.command("default")
def default() -> None:
    """Print a run with every default, as YAML."""
    from hominis.config.defaults import default_text

    click.echo(default_text(), nl=False)


@command.command("show")
@run_option
def show(run: RunConfig) -> None:
    """Print a run with all its settings, tables included, as JSON."""
    from hominis.store.files import canonical

    click.echo(canonical(run.model_dump(mode="json")), nl=False)
