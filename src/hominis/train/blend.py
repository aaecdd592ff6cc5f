"""From the config's shares by corpus and the tokenised corpora at hand to the data that is trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hominis.errors import InputError
from hominis.store.types import Artefact, Json


@dataclass(frozen=True)
class Source:
    """One corpus of the blend.

    Attributes:
        train: prefix of the ``.bin`` and ``.idx`` files that are trained on.
        heldout: the same of the held-out documents; empty if there are none.
        share: its share of the samples; the shares of a blend add up to 1.
    """

    corpus: str
    train: str
    heldout: str
    share: float


def blend_sources(
    shares: Mapping[str, float], corpora: Sequence[Artefact], sequence: int
) -> tuple[list[Source], dict[str, Json]]:
    """Return the corpora to train on and what was left out.

    A corpus of the blend that isn't at hand, or is empty, is dropped and the other shares grow in proportion. A
    held-out set shorter than one sample of ``sequence`` tokens is left out.

    Returns:
        The sources in the order of their names, and ``{"shares": {corpus: share}, "dropped": [corpus, …]}``.

    Raises:
        InputError: nothing of the blend is at hand, or a corpus is shorter than one sample.
    """
    found = {artefact.summary["corpus"]: artefact for artefact in corpora if artefact.summary["train"]["tokens"] > 0}
    used = sorted(corpus for corpus, share in shares.items() if share > 0 and corpus in found)
    if not used:
        raise InputError(
            f"none of the blend's corpora has training tokens: blend {sorted(shares)}, at hand {sorted(found)}",
            where="pretrain.blend",
            remedy="name a corpus that the sources table provides",
        )
    total = math.fsum(shares[corpus] for corpus in used)
    sources = [_source(found[corpus], shares[corpus] / total, sequence) for corpus in used]
    dropped = sorted(corpus for corpus, share in shares.items() if share > 0 and corpus not in found)
    return sources, {"shares": {source.corpus: source.share for source in sources}, "dropped": dropped}


def _source(artefact: Artefact, share: float, sequence: int) -> Source:
    summary = artefact.summary
    if summary["train"]["tokens"] <= sequence:
        raise InputError(
            f"corpus {summary['corpus']} has {summary['train']['tokens']} tokens, less than a sample of {sequence} + 1",
            where=artefact.path,
            remedy="add text, shorten pretrain.model.sequence, or take the corpus out of pretrain.blend",
        )
    heldout = str(artefact.path / "heldout") if summary["heldout"]["tokens"] > sequence else ""
    return Source(summary["corpus"], str(artefact.path / "train"), heldout, share)
