"""The fields of records that hold files of code, as datasets of GitHub name them.

* RedPajama-v1: ``text`` and, in ``meta``, BigQuery's ``repo_name``, ``path``, ``ref``, ``license``; its ``language``
  is a list of the repository's languages, not the file's.
* The Stack: ``content``, ``lang``, ``max_stars_repo_name``, ``max_stars_repo_path``, ``max_stars_repo_licenses``.
* The Stack v2: ``path``, ``repo_name``, ``detected_licenses``, ``language``, ``is_generated``, ``is_vendor``.
* the-stack-smol and github-code: ``content`` or ``code``, ``repository_name``, ``licenses`` and ``license``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TEXTS = ("content", "code")
_PATHS = ("path", "max_stars_repo_path")
_REPOSITORIES = ("repo_name", "max_stars_repo_name", "repository_name", "repository", "repo")
_LICENCES = ("license", "licence", "max_stars_repo_licenses", "licenses", "licences", "detected_licenses")
_LANGUAGES = ("lang", "language")
_REVISIONS = ("revision_id", "max_stars_repo_head_hexsha", "ref")
_FLAGS = {"is_generated": "generated", "is_vendor": "vendored"}

_LINK_MODE = "40960"
"""Git's 0120000, of a link: the text is only the path that it leads to."""

COLUMNS = (
    "meta",
    "mode",
    "symlink_target",
    *TEXTS,
    *_PATHS,
    *_REPOSITORIES,
    *_LICENCES,
    *_LANGUAGES,
    *_REVISIONS,
    *_FLAGS,
)
"""All of them, but for the text's where a source's row names it."""

_ON_GITHUB = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a dataset says of a file.

    Attributes:
        path: in its repository; may be empty.
        repository: ``owner/name``; may be empty.
        licences: of which all hold; empty if none is stated.
        language: of the file.
        url: its page on GitHub.
        reason: why the dataset itself holds it to be no code that people wrote; mostly empty.
    """

    path: str
    repository: str = ""
    licences: tuple[str, ...] = ()
    language: str | None = None
    url: str | None = None
    reason: str = ""


def stated(record: Mapping[str, Any]) -> Stated:
    """Return what a record says of its file, whichever of the names it uses."""
    meta = record.get("meta")
    row: Mapping[str, Any] = {**record, **meta} if isinstance(meta, dict) else record
    path, repository = _first(row, _PATHS), _first(row, _REPOSITORIES)
    return Stated(
        path.removeprefix("/"),
        repository,
        next((found for name in _LICENCES if (found := _names(row.get(name)))), ()),
        _first(row, _LANGUAGES) or None,
        _url(repository, _first(row, _REVISIONS), path.removeprefix("/")),
        _reason(row),
    )


def text_name(names: Sequence[str] | Mapping[str, Any], given: str) -> str:
    """Return which of a record's fields is the text: the one given, or what datasets of code call it."""
    return next((name for name in (given, *TEXTS) if name in names), given)


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((value for name in names if isinstance(value := row.get(name), str) and _is_clean(value)), "")


def _reason(row: Mapping[str, Any]) -> str:
    if row.get("symlink_target") or str(row.get("mode")) == _LINK_MODE:
        return "link"
    return next((reason for flag, reason in _FLAGS.items() if row.get(flag) is True), "")


def _names(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(name for name in values if isinstance(name, str) and name.strip())


def _is_clean(value: str) -> bool:
    try:
        return bool(value.encode()) and "\0" not in value
    except UnicodeEncodeError:
        return False


def _url(repository: str, revision: str, path: str) -> str | None:
    if not _ON_GITHUB.fullmatch(repository):
        return None
    page = f"https://github.com/{repository}"
    return f"{page}/blob/{revision.removeprefix('refs/heads/')}/{path}" if revision and path else page
