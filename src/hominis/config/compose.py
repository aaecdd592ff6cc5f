"""How a policy is composed of others, by name or by file, and where those that ship are."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hominis.config.policy import Policy, PolicyTable, Rule
from hominis.errors import ConfigError

SHIPPED = Path(__file__).with_name("policies")
"""The folder of the policies that ship: the checkout's ``workflow/policies``."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")

Model = TypeVar("Model", bound=BaseModel)


def shipped() -> list[str]:
    """Return the names of the policies that ship."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_policies(value: Any) -> Any:
    """Return ``value``, a mapping of names, with every policy that it says how to compose composed."""
    if not isinstance(value, Mapping):
        return value
    return {name: compose(said, f"select.policies.{name}") for name, said in value.items()}


def compose(said: Any, where: str, beside: Path = Path(), within: tuple[str, ...] = ()) -> Policy:
    """Return the policy that a name, a path, a table or a list of them says.

    Args:
        where: what to name in an error that is in no file.
        beside: the folder that relative paths start from.
        within: the files that are being composed already.

    Raises:
        ConfigError: a file cannot be read, or rules are unknown, impossible, contradictory or ambiguous.
    """
    if isinstance(said, Policy) and not isinstance(said, PolicyTable):
        return said
    if isinstance(said, list | tuple):
        each = [(one if isinstance(one, str) else where, compose(one, where, beside, within)) for one in said]
        return _joined(each, where)
    if isinstance(said, str | Path):
        path = resolved(said, where, beside)
        if str(path) in within:
            raise ConfigError(f"policies extend each other: {' → '.join([*within, str(path)])}", where=where)
        table, where, beside, within = read_table(path), str(path), path.parent, (*within, str(path))
    else:
        table = _valid(PolicyTable, said, where)
    parents = [(name, compose(name, where, beside, within)) for name in table.extends]
    taken = [(name, Policy(rules=tuple(r for r in p.rules if r.name not in table.without))) for name, p in parents]
    known = list(dict.fromkeys(rule.name for _, policy in parents for rule in policy.rules))
    if absent := sorted(set(table.without).difference(known)):
        problem = f"without: no rule {', '.join(absent)} in what it extends"
        raise ConfigError(problem, where=where, remedy=_near(absent[0], known) or _one_of(known))
    return _joined([*taken, (where, Policy(rules=table.rules))], where)


def read_table(path: Path) -> PolicyTable:
    """Return the policy that a TOML file holds, as it is written.

    Raises:
        ConfigError: it cannot be read, isn't TOML, or holds what can't be: named by file and place.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        named = f"those that ship are named without a path: {', '.join(shipped())}"
        raise ConfigError(f"cannot read the policy: {error}", where=path, remedy=named) from error
    return _valid(PolicyTable, said, str(path))


def resolved(said: str | Path, where: str, beside: Path = Path()) -> Path:
    """Return the file of a policy that a name or a path says.

    Raises:
        ConfigError: no policy of this name ships.
    """
    if isinstance(said, Path) or not _NAME.fullmatch(said):
        return beside / said
    if said not in shipped():
        remedy = _near(said, shipped()) or f"{_one_of(shipped())}, or a path: ./{said}.toml"
        raise ConfigError(f"no policy {said!r} ships", where=where, remedy=remedy)
    return SHIPPED / f"{said}.toml"


def _joined(policies: list[tuple[str, Policy]], where: str) -> Policy:
    """Concatenate rules; the same rule counts once, where it stands first."""
    rules: dict[str, Rule] = {}
    owner: dict[str, str] = {}
    for name, policy in policies:
        for rule in policy.rules:
            first = rules.setdefault(rule.name, rule)
            if not first.decides_as(rule):
                both = f"{first.bound()} in {owner[rule.name]}, {rule.bound()} in {name}"
                remedy = f"name one anew, or leave one out: without = [{rule.name!r}] beside extends"
                raise ConfigError(f"rule {rule.name} says two things: {both}", where=where, remedy=remedy)
            owner.setdefault(rule.name, name)
    return _valid(Policy, {"rules": tuple(rules.values())}, where)


def _valid(model: type[Model], said: Any, where: str) -> Model:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        found = "" if first["type"] == "value_error" else f" (it is {first['input']!r})"
        problem = first["msg"].removeprefix("Value error, ") + found
        raise ConfigError(problem, where=", ".join(step for step in (where, place) if step)) from error


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


def _one_of(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}"
