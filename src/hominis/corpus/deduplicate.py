"""Stage ``deduplicate``: of every group of equal or nearly equal documents, over all sources, one copy stays."""

from __future__ import annotations

from collections.abc import Sequence

from hominis.config.corpus import DeduplicateSection
from hominis.errors import ConfigError
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary


def parts(section: DeduplicateSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part: what is a copy can only be told from all documents.

    Raises:
        ConfigError: what is to be preferred is no source and no corpus.
    """
    known = {name for artefact in inputs["annotate"] for name in _names(artefact)}
    if unknown := [name for name in section.prefer if name not in known]:
        raise ConfigError(
            f"prefer: no source and no corpus is called {', '.join(unknown)}",
            where="deduplicate.prefer",
            remedy=f"one of {', '.join(sorted(known))}",
        )
    return [Part("all")]


def work(section: DeduplicateSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``duplicates.parquet``: each document that goes, by source (see ``duplicates.Documents.gone``).

    The copy that stays is of the source that is preferred, then has the least id.

    Returns:
        Summary: ``documents`` read, how many of them are ``exact`` and ``near`` duplicates, ``bands`` and ``rows``.

    Raises:
        InputError: the sources' signatures are not of one kind.
    """
    from hominis.corpus.duplicates import SCHEMA, Documents
    from hominis.corpus.lsh import best_bands, needed_agreement
    from hominis.corpus.minhash import common_size
    from hominis.corpus.tables import TableWriter

    ordered = sorted(inputs["annotate"], key=lambda artefact: _rank(section, artefact))
    paths = {artefact.part: artefact.path / "annotations.parquet" for artefact in ordered}
    permutations = common_size(paths)
    bands, rows = section.bands, section.rows
    if bands is None or rows is None:
        bands, rows = best_bands(section.similarity, permutations, section.verify)
    documents = Documents(paths, scratch.checkpoints)
    documents.join_equal()
    needed = needed_agreement(section.similarity, permutations) if section.verify else 0
    documents.join_near(bands, rows, needed, scratch.progress)
    gone = 0
    with TableWriter(scratch.out / "duplicates.parquet", SCHEMA) as table:
        for rows_gone in documents.gone():
            table.write(rows_gone)
            gone += rows_gone.num_rows
    exact = int(documents.exact.sum())
    return {"documents": documents.kept.size, "exact": exact, "near": gone - exact, "bands": bands, "rows": rows}


def _names(artefact: Artefact) -> tuple[str, str]:
    return artefact.part, artefact.receipt.params["corpus"]


def _rank(section: DeduplicateSection, artefact: Artefact) -> int:
    """Return where the source stands in the list, by its own name or its corpus's; behind it if nowhere."""
    return next((place for place, name in enumerate(section.prefer) if name in _names(artefact)), len(section.prefer))
