"""What several verbs share: the option that names the run, and lines with the time before them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.store.site import Site

if TYPE_CHECKING:
    from hominis.config.run import RunConfig

QUICKSTART = Path("workflow/config/quickstart.yaml")


def config_option(name: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--config``, whose value the verb gets as ``name``."""
    option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
        "-c",
        "--config",
        name,
        type=click.Path(path_type=Path),
        default=QUICKSTART,
        show_default=True,
        envvar="HOMINIS_CONFIG",
        help="The run, as a YAML or JSON file.",
        **more,
    )
    return option


def run_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, and call the verb with the run that it describes."""
    return config_option("run", callback=lambda _context, _option, path: _load(path))(function)


def _load(path: Path) -> RunConfig:
    from hominis.config.run import load

    return load(path)


json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")


def site_of(run: RunConfig) -> Site:
    """Return the site that a run works at."""
    return Site.at(run.site.root)


def say_as(name: str) -> Callable[[str], None]:
    """Return a function that prints a line of progress to standard error."""

    def say(text: str) -> None:
        click.echo(f"[{time.strftime('%H:%M:%S')}] {name:<11} {text}", err=True)

    return say
