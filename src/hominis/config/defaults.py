"""The JSON schema of a run, and a run with every default, generated from the models.

Both are kept in workflow/config; a test fails when they are stale.
"""

import json
from typing import Any

import yaml
from pydantic import BaseModel

from hominis.config.run import RunConfig

REQUIRED: dict[str, Any] = {
    "run": "my-run",
    "fetch": {"sources": "workflow/tables/sources.csv"},
    "select": {"policies": {"web": ["english", "gopher"], "code": "code", "arxiv": "latex", "italian": "italia"}},
    "pretrain": {"blend": {"web": 0.5, "code": 0.5}},
    "account": {
        "intensity_kg_per_kwh": {"value": 0.2875, "low": 0.2848, "high": 0.3367, "source": "your grid's, and its year"},
        "pue": {"value": 1.1, "low": 1.05, "high": 1.2, "source": "your machine room's"},
    },
}
"""What has no default: examples, to be changed."""

HEAD = """\
# A run with every setting at its default. What has none is shown with an example: run, fetch.sources,
# select.policies, pretrain.blend, account. `hominis config schema` says what each setting means.
# Made by `hominis config default`.
"""


def schema_text() -> str:
    """Return the JSON schema of a run's configuration."""
    schema = RunConfig.model_json_schema()
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=1, sort_keys=True) + "\n"


def default_text() -> str:
    """Return a run with every default, as YAML with a comment on what needs to be set."""
    return HEAD + yaml.safe_dump(_filled(RunConfig, REQUIRED), sort_keys=False, width=120)


def _filled(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            filled[name] = _filled(field.annotation, given.get(name, {}))
        elif name in given:
            filled[name] = given[name]
        else:
            default = field.get_default(call_default_factory=True)
            filled[name] = json.loads(json.dumps(default, default=str))
    return filled
