"""Read what a config names by path, tables and presets, so that a section holds data and not paths."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from hominis.errors import ConfigError


def read_sources(value: Any, row_model: type[BaseModel]) -> Any:
    """Return ``value``, or the rows of the CSV file that it names, each a ``row_model``.

    Raises:
        ConfigError: the file cannot be read or has no rows, or a cell is wrong: named by file, line and column.
    """
    if not isinstance(value, str | Path):
        return value
    path = Path(value)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = tuple(_row(path, reader.line_num, cells, row_model) for cells in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read the table of sources: {error}", where=path) from error
    if not rows:
        raise ConfigError("the table of sources has no rows", where=path, remedy="give it a row per source")
    return rows


def _row(path: Path, line: int, cells: Mapping[str | None, Any], model: type[BaseModel]) -> BaseModel:
    if None in cells or None in cells.values():
        raise ConfigError("more or fewer cells than the header has", where=f"{path}, line {line}")
    given: dict[str, Any] = {str(column): text.strip() for column, text in cells.items() if text.strip()}
    for listed in {"include", "licences"} & given.keys():
        given[listed] = tuple(part.strip() for part in given[listed].split(";"))
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors()[0]
        column = first["loc"][0] if first["loc"] else "?"
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{problem}; found {given.get(str(column), '')!r}", where=f"{path}, line {line}, column {column}"
        ) from error


def read_model(value: Any, model: type[BaseModel]) -> Any:
    """Return ``value``, or the ``model`` that the YAML file which it names describes.

    Raises:
        ConfigError: the file cannot be read, isn't YAML, or holds a setting that can't be: named by file and place.
    """
    if not isinstance(value, str | Path):
        return value
    path = Path(value)
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        presets = "workflow/config/models has presets, such as workflow/config/models/13b.yaml"
        raise ConfigError(f"cannot read the model: {error}", where=path, remedy=presets) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join([str(path), *(str(step) for step in first["loc"])])
        raise ConfigError(first["msg"].removeprefix("Value error, "), where=place) from error
