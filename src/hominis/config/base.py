"""What all config sections share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

UNKEYED = "x-unkeyed"


class Section(BaseModel):
    """One stage's settings: immutable, and an unknown name is an error rather than a setting without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def keyed(self) -> dict[str, Any]:
        """Return the fields that determine a part's bytes, as JSON values: what goes into its key."""
        extras = {name: field.json_schema_extra for name, field in type(self).model_fields.items()}
        hidden = {name for name, extra in extras.items() if isinstance(extra, dict) and UNKEYED in extra}
        return self.model_dump(mode="json", exclude=hidden)


def unkeyed(default: Any = ..., **kwargs: Any) -> Any:
    """Declare a field that doesn't determine any part's bytes (worker counts, choices of parts): not in the key.

    Takes what ``pydantic.Field`` takes.
    """
    return Field(default, json_schema_extra={UNKEYED: True}, **kwargs)
