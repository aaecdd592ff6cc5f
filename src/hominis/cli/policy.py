"""``hominis policy``: which rules there are, and which of them removed a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hominis.cli.common import config_option, json_option, site_of

if TYPE_CHECKING:
    import polars as pl

    from hominis.config.run import RunConfig
    from hominis.corpus.explain import Answer, Copies, Held


@click.group("policy", short_help="Show policies; explain which rule removed a document, and by how much.")
def command() -> None:
    """Show policies; explain which rule removed a document.

    \b
    Examples:
      hominis policy list
      hominis policy show fineweb
      hominis policy explain flask/flask-3.1.2/docs/api.rst
      hominis policy explain my-page.txt --policy gopher
    """


@command.command("list")
def listing() -> None:
    """List the policies that ship."""
    from hominis.config.compose import SHIPPED, compose, read_table, shipped

    rows = []
    for name in shipped():
        rules = len(compose(name, name).rules)
        rows.append([name, f"{rules} rules", read_table(SHIPPED / f"{name}.toml").about])
    _table(rows)


@command.command("show", short_help="Show the rules of a policy, in their order.")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the rules of a policy, those that it extends included, in the order in which they are asked.

    NAME is one that ships, or the path of a TOML file.
    """
    from hominis.config.compose import compose, read_table, resolved
    from hominis.store.files import canonical

    policy, table = compose(name, "NAME"), read_table(resolved(name, "NAME"))
    if as_json:
        click.echo(canonical(policy.model_dump(mode="json")), nl=False)
        return
    if table.extends:
        left = f" without {', '.join(table.without)}" if table.without else ""
        click.echo(f"{name} extends {', '.join(table.extends)}{left}")
    for words in (table.about, table.words):
        if words:
            click.echo(click.wrap_text(words, 100) + "\n")
    missing = {"remove": "", "keep": "or unknown"}
    _table(
        [["rule", "signal", "keeps", "paper"]]
        + [
            [rule.name, rule.signal, f"{rule.bound()} {missing[rule.missing]}".strip(), rule.source]
            for rule in policy.rules
        ]
    )


@command.command("explain", short_help="Say which rule removed a document, and by how much.")
@click.argument("doc")
@click.option("--policy", "said", default="", metavar="NAME", help="One that ships, or a TOML file; not the run's.")
@config_option("config")
@json_option
def explain(doc: str, said: str, config: Path, as_json: bool) -> None:
    """Say of each rule whether DOC passes and by how much, and which rule removed it.

    DOC is a document's id in the run, or a file with a text, which needs --policy.
    """
    from hominis.config.compose import compose
    from hominis.config.policy import CONTAMINATED
    from hominis.config.run import load
    from hominis.corpus.explain import answers, measured, verdict
    from hominis.errors import ConfigError

    copies, held, known = None, None, False
    if Path(doc).is_file():
        if not said:
            raise ConfigError(f"{doc} is a file, which is of no corpus", where="--policy", remedy="name a policy")
        policy, row = compose(said, "--policy"), measured(Path(doc))
    else:
        run = load(config)
        row, copies, known = _of_run(run, doc)
        held = _held(run, doc)
        policy = compose(said, "--policy") if said else run.select.policy_of(row["source"].item(), row["corpus"].item())
    said_of, name = answers(policy, row), verdict(policy, row, copies) or (CONTAMINATED if held else None)
    if as_json:
        _as_json(doc, said_of, name, copies, held)
    else:
        _explained(doc, said_of, name, copies, held, known)


def _of_run(run: RunConfig, doc: str) -> tuple[pl.DataFrame, Copies | None, bool]:
    """Return a document's annotations, what it is a copy of, and whether that is known already."""
    from hominis.corpus.explain import copies_of, document

    annotated = _artefacts(run, "annotate", doc)
    if not annotated:
        from hominis.errors import InputError

        remedy = "annotate it first: hominis annotate, or snakemake; is it this run? --config says which"
        raise InputError(f"the run {run.run} has no annotations yet", where=run.receipts, remedy=remedy)
    row = document([path / "annotations.parquet" for path in annotated], doc)
    compared = _artefacts(run, "deduplicate")
    copies = [copies_of(path / "duplicates.parquet", doc) for path in compared]
    return row, next((found for found in copies if found), None), bool(compared)


def _held(run: RunConfig, doc: str) -> Held | None:
    """Return the evaluation item for which a document left the selected ones."""
    from hominis.corpus.explain import held_by

    selected = [path / "contaminated.parquet" for path in _artefacts(run, "select", doc)]
    return next((found for path in selected if path.exists() and (found := held_by(path, doc))), None)


def _artefacts(run: RunConfig, stage: str, doc: str = "") -> list[Path]:
    """Return the folders of a stage's parts: of the one that ``doc`` is named after, or of all. None if not done."""
    from hominis.store import artefacts, whole

    receipt, site = run.receipts / f"{stage}.json", site_of(run)
    if not receipt.exists():
        return []
    refs = whole.refs(site, whole.load(receipt))
    own = [ref for ref in refs if doc.startswith(f"{ref.part}/")]
    return [artefacts.open_artefact(site, stage, ref.key, ref.digest).path for ref in own or refs]


def _explained(
    doc: str, said: Sequence[Answer], name: str | None, copies: Copies | None, held: Held | None, known: bool
) -> None:
    removing = [f" ({_value(answer)}; {answer.rule.bound()} is kept)" for answer in said if answer.rule.name == name]
    click.echo(f"{doc}: " + (f"removed by {name}{''.join(removing)}" if name else "stays"))
    if copies:
        others = f"; so are {', '.join(copies.others)}" if copies.others else ""
        kind = {"exact": "an exact", "near": "a near"}[copies.kind]
        click.echo(f"{kind} duplicate of {copies.kept}, which stays{others}")
    elif not known:
        click.echo("whether it is a duplicate is not known")
    if held:
        click.echo(f"it holds {held.item}, which evaluation asks in {held.task}: “{held.words}”")
    _table([["", "rule", "value", "keeps", "margin", "paper"]] + [_row(answer, name) for answer in said])


def _row(answer: Answer, name: str | None) -> list[str]:
    mark = "passes" if answer.passes else "REMOVES" if answer.rule.name == name else "fails"
    form = "+,.0f" if abs(answer.margin or 0) >= 1000 else "+.4g"
    margin = "" if answer.margin is None else format(answer.margin, form)
    return [mark, answer.rule.name, _value(answer), answer.rule.bound(), margin, answer.rule.source]


def _as_json(doc: str, said: Sequence[Answer], name: str | None, copies: Copies | None, held: Held | None) -> None:
    from hominis.store.files import canonical

    rules = [
        {**answer.rule.model_dump(), "value": answer.value, "passes": answer.passes, "margin": answer.margin}
        for answer in said
    ]
    reasons = {"copies": copies and vars(copies), "holds": held and vars(held)}
    found = {"document": doc, "removed_by": name, **reasons, "rules": rules}
    click.echo(canonical(found), nl=False)


def _value(answer: Answer) -> str:
    value = "unknown" if answer.value is None else answer.value
    return value if isinstance(value, str) else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, their columns below each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
