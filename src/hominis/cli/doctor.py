"""``hominis doctor``: is this machine ready, what is missing, how to get it."""

from __future__ import annotations

from pathlib import Path

import click

from hominis.cli.checks import CHECKS, Finding
from hominis.cli.common import json_option


@click.command("doctor", short_help="Is this machine ready? What is missing, and how to get it.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    help="The run that is to be started: says the site, and whether it uses Slurm.",
)
@click.option("--site", type=click.Path(path_type=Path), help="Root of the store, if not the run's.  [default: site]")
@click.option("--slurm", is_flag=True, help="Check Slurm too, as for a run whose backend it is.")
@json_option
def command(config: Path | None, site: Path | None, slurm: bool, as_json: bool) -> int:
    """Check what a run needs on this machine; exits 1 if it can't run.

    \b
    Examples:
      hominis doctor
      hominis doctor --slurm --site $WORK/hominis
      hominis doctor --config my-run.yaml --json
    """
    findings = _find(config, site, slurm)
    if as_json:
        from hominis.store.files import canonical

        click.echo(canonical([vars(finding) for finding in findings]), nl=False)
    else:
        for finding in findings:
            mark = {True: "ok     ", False: "missing", None: "less   "}[finding.good]
            click.echo(f"{mark}  {finding.what:<22}{finding.found}")
            if finding.remedy and not finding.good:
                click.echo(f"{'':<9}{'':<22}{finding.remedy}")
    return int(any(finding.good is False for finding in findings))


def _find(config: Path | None, site: Path | None, slurm: bool) -> list[Finding]:
    if config:
        from hominis.config.run import load

        run = load(config)
        site, slurm = site or run.site.root, slurm or run.backend == "slurm"
    root = site or Path("site")
    findings = [finding for check in CHECKS for finding in check(root)]
    if slurm:
        from hominis.cli.slurm_checks import look

        findings += look(root)
    return findings
