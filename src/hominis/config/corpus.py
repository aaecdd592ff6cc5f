"""Settings of the corpus stages: which sources, which signals, which copies stay, which documents are kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, field_validator, model_validator

from hominis.config import redpajama
from hominis.config.base import Section, unkeyed
from hominis.config.compose import read_policies
from hominis.config.policy import Policy, PolicyTable
from hominis.config.tables import read_sources
from hominis.errors import ConfigError

RESERVED = (".", "..", "receipt.json")
"""Names that a raw file cannot have: it is published under its own, beside the store's receipt."""

Kind = Literal["pypi-sdist", "pypi-wheel", "deb", "file", "folder"]

HERE = ("file", "folder")
"""Kinds of sources on this machine; where such a one lies is in no key."""

Format = Literal["", "redpajama", "github", "arxiv"]

PersonalData = Literal["key", "email", "iban", "ip_address", "phone"]
"""Kinds in order of precedence: where two overlap, the earlier one wins."""


class Source(BaseModel):
    """One raw file: where it is, what its bytes must be, which of its documents belong to which corpus."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._+-]*$", description="Its name, unique; ids of documents begin with it."
    )
    corpus: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="The corpus that its documents belong to.")
    kind: Kind = Field(description="Where it is from; `file`, `folder`: this machine.")
    locator: str = Field(min_length=1, description="Name of the project or package; path of a `file` or `folder`.")
    revision: str = Field("", description="The exact version; of a `file` `<snapshot>/<shard>` or empty.")
    file: str = Field(
        pattern=r"^[^/]+$",
        description="The file's name, of a `folder` its tar's; its ending tells the format if nothing does.",
    )
    format: Format = Field("", description="How the file is read; empty: as its ending says.")
    of: str = Field("", description="The source of the documents that this file is about; empty: it holds documents.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="As `sha256sum FILE` gives it.")
    bytes: PositiveInt = Field(description="Length of the file.")
    licence: str = Field(min_length=1, description="SPDX expression of the documents' licence.")
    include: tuple[str, ...] = Field(
        (),
        description="Patterns of paths in an archive, `*` crossing `/`; `!pattern` takes paths out again; none: all.",
    )
    licences: tuple[str, ...] = Field(
        (), description="SPDX identifiers that code may have, for the format `github`; none: the permissive ones."
    )
    text_field: str = Field("text", description="Field or column that holds the text, for JSON lines and Parquet.")
    optional: bool = Field(False, description="Left out, and logged, where it can't be had (a `deb` without apt).")
    note: str = Field("", description="For people.")

    @field_validator("file")
    @classmethod
    def _file_can_be_published(cls, file: str) -> str:
        if file in RESERVED:
            raise ValueError(f"no file can have this name in an artefact: {', '.join(RESERVED)}")
        return file


class FetchSection(Section):
    """Which raw files to have. Each source is a part and carries its own row, so nothing here is in a key."""

    sources: Annotated[
        tuple[Source, ...],
        BeforeValidator(lambda value: read_sources(value, Source), json_schema_input_type=str | list[Source]),
    ] = unkeyed(description="The sources, or the path of a CSV file with a row per source.")
    only: tuple[str, ...] = unkeyed((), description="Names of the sources to take; none: all.")
    downloads: Path = unkeyed(
        Path("downloads"), description="Files are looked for here, by name and hash, before anything is downloaded."
    )

    @model_validator(mode="after")
    def _names_are_known_and_unique(self) -> Self:
        names = [source.name for source in self.sources]
        if twice := _repeated(names):
            raise ValueError(f"sources named more than once: {twice}")
        unknown = sorted(set(self.only) - set(names))
        if unknown:
            raise ValueError(f"only: unknown sources {', '.join(unknown)}; there are {', '.join(names)}")
        if wrong := redpajama.problem(self.sources):
            raise ValueError(wrong)
        return self


class AnnotateSection(Section):
    """How documents are read and measured.

    Shingles of 5 words, as in Lee et al. 2022 (arXiv:2107.06499) and FineWeb: one changed word spoils 5 shingles, not
    13, so copies with small edits stay above the threshold, and short documents still have enough shingles for a
    steady estimate. RedPajama-v2's published signatures use 13, and another hash: the two never mix.
    """

    max_document_bytes: PositiveInt = Field(8 * 2**20, description="Longer ones are skipped, counted as `too_large`.")
    max_rejects: float = unkeyed(
        0.05,
        ge=0,
        le=1,
        description="Share of a file's records that may be damaged (not_json, no_text, …); above it the part fails.",
    )
    language_prefix_chars: PositiveInt = Field(1000, description="What the language identifier reads of a document.")
    signature: Literal["own", "redpajama"] = Field(
        "own", description="Which MinHash: `own`, or `redpajama`, as published (SHA-1, 13 words, 128 values)."
    )
    shingle_words: PositiveInt = Field(5, description="Words in a MinHash shingle.")
    permutations: int = Field(
        128,
        ge=1,
        le=1024,
        description="Values in a signature; the standard error of a similarity of 0.8 is 0.4 / sqrt(permutations).",
    )

    domains: Path | None = unkeyed(
        None, description="A JSON object of domains and numbers, as for `hominis signals --ut1`; its bytes count."
    )
    workers: int = unkeyed(0, ge=0, description="Threads; 0: one per core that the part has.")

    @model_validator(mode="after")
    def _redpajamas_signature_is_whole(self) -> Self:
        size = (self.shingle_words, self.permutations)
        if self.signature == "redpajama" and size != (13, 128):
            raise ValueError(f"RedPajama-v2's signature has shingle_words 13 and permutations 128, not {size}")
        return self


class DeduplicateSection(Section):
    """Which documents count as the same."""

    similarity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Jaccard similarity of two documents' shingles from which they are near duplicates.",
    )
    bands: PositiveInt | None = Field(None, description="Of the hash that finds candidates; by default the sharpest.")
    rows: PositiveInt | None = Field(None, description="Signature values in a band; given with `bands` or not at all.")
    verify: bool = Field(
        True, description="Keep only candidates whose signatures agree as well as those of 19 of 20 similar pairs."
    )
    prefer: tuple[str, ...] = Field(
        (), description="Sources and corpora whose copies stay, the first before all; then the sources in their order."
    )

    @model_validator(mode="after")
    def _bands_come_with_rows(self) -> Self:
        if (self.bands is None) != (self.rows is None):
            raise ValueError(f"bands {self.bands} and rows {self.rows}: give both or neither")
        return self


class SelectSection(Section):
    """Which documents are kept, and which of them are held out from training."""

    policies: Annotated[
        dict[str, Policy],
        BeforeValidator(read_policies, json_schema_input_type=dict[str, str | PolicyTable | list[str | PolicyTable]]),
    ] = Field(
        description="Corpus or source → policy: a name that ships, a TOML file, a table, or a list of these, whose "
        "rules are asked one policy after the other. A source's own goes before its corpus's."
    )
    heldout: float = Field(
        0.03, ge=0, lt=1, description="Fraction of documents kept apart, by the hash of their words."
    )
    heldout_seed: int = Field(0, ge=0, lt=2**63, description="Another seed, another choice.")
    pii: tuple[PersonalData, ...] = Field(
        get_args(PersonalData),
        description="Kinds of personal data that are replaced by placeholders such as <EMAIL>.",
    )
    workers: int = unkeyed(0, ge=0, description="Threads; 0: one per core that the part has.")

    def policy_of(self, source: str, corpus: str) -> Policy:
        """Return the policy that a source's documents are judged by.

        Raises:
            ConfigError: neither the source nor its corpus has one.
        """
        if found := self.policies.get(source, self.policies.get(corpus)):
            return found
        remedy = "name a policy for it; one without rules keeps every document that is no duplicate"
        raise ConfigError(f"no policy for corpus {corpus}", where="select.policies", remedy=remedy)

    def keyed(self) -> dict[str, Any]:
        """Leave out what a rule says of its paper: to correct a reference costs no stage."""
        judged = self.model_dump(mode="json", exclude={"policies": {"__all__": {"rules": {"__all__": {"source"}}}}})
        return super().keyed() | {"policies": judged["policies"]}


def _repeated(names: list[str]) -> str:
    return ", ".join(sorted(name for name, times in Counter(names).items() if times > 1))
