"""Writes a run's report: results.json first, then, from that file alone, the page and the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hominis.carbon.costs import Account
from hominis.errors import InputError
from hominis.report.collect import Evidence, collect
from hominis.report.curves import Records
from hominis.report.model import Results
from hominis.store import files
from hominis.store.ledger import Attempt
from hominis.store.types import Artefact

RESULTS = "results.json"


def build(
    run: str,
    out: Path,
    artefacts: Mapping[str, Sequence[Artefact]],
    stage_receipts: Mapping[str, Mapping[str, Any]],
    attempts: Sequence[Attempt],
    account: Account,
    config: Mapping[str, Any],
    source: Mapping[str, Any],
    records: Records,
) -> Path:
    """Write the report of ``run`` into the folder ``out`` and return the page's path; see ``Evidence`` for the rest.

    Each file appears whole or not at all; the page is the last.

    Raises:
        InputError: the table of published scores can't be read.
    """
    results = collect(run, Evidence(artefacts, stage_receipts, attempts, account, config, source, records))
    files.replace(out / RESULTS, files.canonical(results.model_dump(mode="json")))
    return render(out / RESULTS)


def render(path: Path) -> Path:
    """Write page and tables beside the results.json at ``path``, from it alone; return the page's path.

    Raises:
        InputError: the file is not such a results.json.
    """
    from hominis.report import render as to

    results = read(path)
    tables = {"table.md": to.table_markdown, "table.tex": to.table_tex, "table.csv": to.table_csv}
    for name, write in {**tables, "data.html": to.data_card, "index.html": to.page}.items():
        files.replace(path.with_name(name), write(results))
    return path.with_name("index.html")


def read(path: Path) -> Results:
    """Return the results in a results.json.

    Raises:
        InputError: it is absent or not one.
    """
    try:
        return Results.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"there is no {path}", remedy="run `hominis report`") from None
    except ValidationError as error:
        raise InputError(f"{path} is not a results file: {error}", where=path, remedy="run `hominis report`") from None


def schema() -> str:
    """Return the JSON schema of results.json, as stored in workflow/schemas/results.schema.json."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Results.model_json_schema()}
    return json.dumps(described, indent=1, sort_keys=True) + "\n"
