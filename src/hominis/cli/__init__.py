"""The command line: one thin module per verb; parse, call, print."""

import errno
import logging
import os
import sys
import traceback
from importlib import import_module

import click

from hominis import __version__
from hominis.errors import HominisError
from hominis.stages import STAGES

VERBS: tuple[str, ...] = ("doctor", "plan", "status", "cancel", "ledger", "verify", "repair")
VERBS += ("config", "sources", "policy", "signals", "account", "report", "part")
HELP = """Raw text corpora to a pretrained model and a results table that states its carbon cost.

A whole run is one command, and the same command again after any failure:

\b
    snakemake --profile local
    snakemake --profile local --configfile workflow/config/quickstart.yaml

The verbs below look at a run, mend it, or do one of its stages by hand. Exit codes: 0 done, 1 the work failed,
2 bad usage or configuration, 130 stopped by the keyboard (parts that run go on).
"""

MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
MACHINE |= {errno.ENOTDIR, errno.ENOENT, errno.EISDIR}


class _Verbs(click.Group):
    """Imports a verb when it is called, so that `hominis status` doesn't wait for what the others need."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*VERBS, *STAGES]

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name in STAGES:
            made: click.Command = import_module("hominis.cli.stage").command(name)
            return made
        if name not in VERBS:
            return None
        found: click.Command = import_module(f"hominis.cli.{name}").command
        return found

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in (("For people", VERBS), ("Stages, in their order", STAGES)):
            commands = [(name, self.get_command(context, name)) for name in names]
            rows = [(name, found.get_short_help_str(90)) for name, found in commands if found and not found.hidden]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(cls=_Verbs, help=HELP, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hominis")
def cli() -> None:
    """Collect the verbs."""


def main() -> None:
    """Run the command line; an expected error is printed without a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        code = cli.main(prog_name="hominis", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except HominisError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        hint = "`hominis status` shows them, `hominis cancel` stops them well; start again to attach"
        _fail(f"stopped; parts that run go on by themselves: {hint}", 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        _fail(_unexpected(error), 1)


def _unexpected(error: Exception) -> str:
    """Return an error that we didn't raise: of the machine (a disk, a permission), or a fault of our own."""
    if isinstance(error, OSError) and error.errno in MACHINE:
        remedy = "see that site.root and site.results are folders that can be written, with room"
        return f"{error.strerror}: {error.filename}\n  remedy: {remedy}"
    if os.environ.get("HOMINIS_TRACEBACK"):
        traceback.print_exc()
    return f"{type(error).__name__}: {error}\n  a fault of hominis itself; HOMINIS_TRACEBACK=1 shows where"


def _fail(text: str, code: int) -> None:
    from hominis.store.redact import redact

    click.echo(f"hominis: error: {redact(text)}", err=True)
    sys.exit(code)
