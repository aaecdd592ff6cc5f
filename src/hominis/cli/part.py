"""``hominis part``: what a job runs. Not for people, but it may be called by hand."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from hominis.errors import HominisError, Interrupted
from hominis.jobs import identity, intents
from hominis.jobs.forks import served
from hominis.jobs.states import EXIT_BUSY, EXIT_RESUME
from hominis.jobs.task import read_part, stage_of
from hominis.stages import STAGES
from hominis.store.redact import redact
from hominis.store.run import BUSY, run_part
from hominis.store.site import Site


@click.command("part", hidden=True)
@click.argument("task", type=click.Path(path_type=Path, exists=True))
@click.argument("part", required=False)
@click.option(
    "--batch", type=click.Path(path_type=Path, exists=True), help="The intent; Slurm says which of its parts."
)
@click.option("--forks", is_flag=True, help="Read from standard input which parts to do, each in a fork.")
def command(task: Path, part: str | None, batch: Path | None, forks: bool) -> int:
    """Do one part of a written task."""
    if forks and (part := served(partial(_preload, task))) is None:
        return 0
    from pydantic import TypeAdapter

    from hominis.carbon.meter import start
    from hominis.config.run import RunConfig

    intent = intents.read(batch) if batch else None
    if intent:
        part = intent.parts[int(os.environ["SLURM_ARRAY_TASK_ID"])]
    if part is None:
        raise click.UsageError("name a part, or a batch")
    written, mine, reads = read_part(task, part)
    stage = STAGES[written["stage"]]
    kind: Any = RunConfig.model_fields[stage.name].annotation
    settings = TypeAdapter(kind).validate_python(written["section"])
    try:
        outcome = run_part(
            Site.at(written["root"]),
            stage,
            settings,
            mine,
            reads,
            run=intent.run if intent else written["run"],
            source=written["source"],
            meter=start,
            owner=identity.identity(batch),
            proof=identity.proof,
        )
    except Interrupted:
        return EXIT_RESUME
    except HominisError as error:
        click.echo(redact(str(error)), err=True)
        return error.exit_code
    except Exception as error:
        import traceback

        sys.stderr.write(redact("".join(traceback.format_exception(error))))
        return 1
    return EXIT_BUSY if outcome == BUSY else 0


def _preload(task: Path) -> None:
    """Load what all parts of a task need."""
    import hominis.carbon.meter
    import hominis.config.run  # noqa: F401

    STAGES[stage_of(task)].preload()
