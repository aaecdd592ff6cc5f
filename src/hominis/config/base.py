"""What all config sections share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

UNKEYED = "x-unkeyed"


class Section(BaseModel):
    """One stage's settings: immutable, and an unknown name is an error rather than a setting without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def keyed(self) -> dict[str, Any]:
        """Return the fields that determine a part's bytes, as JSON values: what goes into its key."""
        fields = type(self).model_fields
        hidden = {name for name, field in fields.items() if UNKEYED in (field.json_schema_extra or {})}
        return self.model_dump(mode="json", exclude=hidden)


def unkeyed(default: Any = ..., **kwargs: Any) -> Any:
    """Declare a field that doesn't determine any part's bytes (worker counts, choices of parts): not in the key.

    Takes what ``pydantic.Field`` takes.
    """
    return Field(default, json_schema_extra={UNKEYED: True}, **kwargs)
