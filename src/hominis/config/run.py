"""A complete run as data, and how it is read."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from hominis.config.base import Section
from hominis.config.carbon import AccountSection, ReportSection
from hominis.config.corpus import AnnotateSection, DeduplicateSection, FetchSection, SelectSection
from hominis.config.evaluate import GenerateSection, NgramSection, QuestionsSection, ScoreSection
from hominis.config.plan import BudgetSection, PlanSection
from hominis.config.slurm import SlurmSection
from hominis.config.tokenise import TokeniseSection, VocabularySection
from hominis.config.train import AdoptSection, DecaySection, ExportSection, LayoutSection, PretrainSection
from hominis.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class SiteSection(Section):
    """What the runs of a site share."""

    root: Path = Field(Path("site"), description="Store, attempts and scratch: one file system with room.")
    results: Path = Field(Path("results"), description="Receipts, logs and reports, a folder per run.")

    @field_validator("root", "results")
    @classmethod
    def _expanded(cls, path: Path) -> Path:
        """Put environment variables in: a profile can say ``$WORK/hominis`` for every member of a project."""
        names = {first or second for first, second in re.findall(r"\$(?:(\w+)|\{(\w+)\})", str(path))}
        if unset := sorted(name for name in names if not os.environ.get(name)):
            raise ValueError(f"${unset[0]} is not set in this environment; export it, or write the folder itself")
        return Path(os.path.expandvars(path))


class RunConfig(Section):
    """A run: what it is called, where it works, and a section per stage."""

    run: Name = Field(description="Name of the run and of its folder of results.")
    site: SiteSection = SiteSection()
    backend: Literal["local", "slurm"] = Field("local", description="Where jobs run; the profile says it.")
    slurm: SlurmSection = SlurmSection()
    plan: PlanSection = PlanSection()
    budget: BudgetSection = BudgetSection()
    fetch: FetchSection
    annotate: AnnotateSection = AnnotateSection()
    deduplicate: DeduplicateSection = DeduplicateSection()
    questions: QuestionsSection = QuestionsSection()
    select: SelectSection
    vocabulary: VocabularySection = VocabularySection()
    tokenise: TokeniseSection = TokeniseSection()
    ngram: NgramSection = NgramSection()
    adopt: AdoptSection | None = Field(None, description="Weights to start from; null: random ones.")
    pretrain: PretrainSection
    decay: DecaySection | None = Field(None, description="A decay branched off pretrain; null: none.")
    export: ExportSection = ExportSection()
    generate: GenerateSection = GenerateSection()
    score: ScoreSection = ScoreSection()
    account: AccountSection
    report: ReportSection = ReportSection()

    @model_validator(mode="after")
    def _corpora_agree(self) -> Self:
        taken = [s for s in self.fetch.sources if not self.fetch.only or s.name in self.fetch.only]
        chosen, judged = {s.corpus for s in taken}, self.select.policies.keys()
        without = sorted({s.corpus for s in taken if not judged & {s.name, s.corpus}})
        if without:
            raise ValueError(f"select.policies: none for {', '.join(without)}; an empty one keeps every document")
        named = {name for s in self.fetch.sources for name in (s.name, s.corpus)}
        if idle := sorted(judged - named):
            raise ValueError(f"select.policies: no source and no corpus is called {', '.join(idle)}")
        unknown = sorted(self.pretrain.blend.keys() - chosen)
        if unknown:
            raise ValueError(
                f"pretrain.blend: no source is of {', '.join(unknown)}; the sources have {', '.join(sorted(chosen))}"
            )
        return self

    @model_validator(mode="after")
    def _branches_off(self) -> Self:
        return self if self.decay is None else self.model_copy(update={"decay": self.decay.within(self.pretrain)})

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        return self.model_copy(update={"questions": self.questions.of(self.generate.tasks)})

    @model_validator(mode="after")
    def _fills_nodes(self) -> Self:
        node, layouts = self.slurm.tasks_per_node, {"pretrain": self.pretrain.layout}
        if self.decay and self.decay.layout:
            layouts["decay"] = self.decay.layout
        for stage, layout in layouts.items():
            world = layout.world
            if self.backend == "slurm" and world > node and world % node:
                nodes = f"whole nodes of slurm.tasks_per_node = {node}"
                raise ValueError(f"{stage}.layout: tp · pp · cp · dp = {world} ranks don't fill {nodes}")
        return self

    @property
    def training_nodes(self) -> int:
        """Nodes that the ranks of a training run need."""
        return self.nodes(self.pretrain.layout)

    def nodes(self, layout: LayoutSection) -> int:
        """Return the nodes that the ranks of ``layout`` need."""
        return math.ceil(layout.world / self.slurm.tasks_per_node)

    @property
    def folder(self) -> Path:
        """The run's folder of results."""
        return self.site.results / self.run

    @property
    def receipts(self) -> Path:
        """Where the run's stage receipts are: the only files that Snakemake tracks."""
        return self.folder / "receipts"

    @property
    def page(self) -> Path:
        """The run's report."""
        return self.folder / "report" / "index.html"


def load(source: Path | Mapping[str, Any]) -> RunConfig:
    """Return the run that a YAML or JSON file, or a mapping, describes.

    Raises:
        ConfigError: the file is absent or can't be read, or a setting is unknown, missing, of the wrong type or
            impossible; all of them are named at once.
    """
    raw: Any = source if isinstance(source, Mapping) else _read(source)
    where = "the configuration" if isinstance(source, Mapping) else str(source)
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where} holds no settings", where=where, remedy="start from `hominis config default`")
    try:
        return RunConfig.model_validate(dict(raw))
    except ValidationError as error:
        raise ConfigError(
            _explain(error), where=where, remedy="`hominis config schema` lists what can be set"
        ) from None


def _read(path: Path) -> Any:
    form = "JSON" if path.suffix == ".json" else "YAML"
    try:
        text = path.read_text(encoding="utf-8")
        # JSON is YAML, too, but 10,000 sources take a YAML parser 8 s
        return json.loads(text) if form == "JSON" else yaml.safe_load(text)
    except OSError as error:
        remedy = "name a run with --config; `hominis config default` writes one to start from"
        raise ConfigError(f"can't read {path}: {error.strerror}", where=path, remedy=remedy) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path} is not {form}: {error}", where=path) from None


def _explain(error: ValidationError) -> str:
    return "\n".join(_line(item["loc"], item["msg"], item["input"], item["type"]) for item in error.errors())


def _line(location: tuple[int | str, ...], message: str, value: Any, kind: str) -> str:
    name = ".".join(str(step) for step in location)
    message = message.removeprefix("Value error, ")
    if not name:
        return message
    if kind == "extra_forbidden":
        return f"{name}: there is no such setting{_closest(location)}"
    if kind == "missing":
        return f"{name}: is required"
    shown = json.dumps(value, default=str)
    return f"{name}: {message} (it is {shown if len(shown) <= 80 else shown[:77] + '…'})"


def _closest(location: tuple[int | str, ...]) -> str:
    fields: Any = RunConfig
    for step in location[:-1]:
        field = getattr(fields, "model_fields", {}).get(step)
        fields = field.annotation if field else None
    near = difflib.get_close_matches(str(location[-1]), getattr(fields, "model_fields", {}), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
