"""The JSON schema of a run, generated from the models."""

import json

from hominis.config.run import RunConfig


def schema_text() -> str:
    """Return the JSON schema of a run's configuration."""
    schema = RunConfig.model_json_schema()
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=1, sort_keys=True) + "\n"
