"""The errors that hominis raises on purpose.

Each says what was wrong (with the value), where it came from, and what to do about it. The command line prints
them without a traceback; anything else that escapes is a fault of hominis itself.
"""


class HominisError(Exception):
    """Base of all expected errors.

    Args:
        problem: what is wrong, with the offending value.
        where: the file, record or setting that it came from.
        remedy: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, *, where: object = "", remedy: str = "") -> None:
        super().__init__(problem, where, remedy)
        self.problem, self.where, self.remedy = problem, str(where), remedy

    def __str__(self) -> str:
        tail = [f"  {label}: {text}" for label, text in (("where", self.where), ("remedy", self.remedy)) if text]
        return "\n".join([self.problem, *tail])


class ConfigError(HominisError):
    """A setting or a command line that cannot be meant: found before any work starts."""

    exit_code = 2


class InputError(HominisError):
    """Data that a stage was given and cannot use: a missing file, a wrong hash, a corpus without documents."""


class CorruptArtefact(HominisError):
    """Bytes in the store that are not what their receipt says."""


class StageFailed(HominisError):
    """A stage whose parts could not all be had."""


class Interrupted(HominisError):
    """A stage function stopped because it was asked to, with its checkpoint written: to be resumed, not repaired."""
