"""From the config's shares by corpus and the tokenised corpora at hand to the data that is trained on."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hominis.config.train import PretrainSection
from hominis.errors import InputError
from hominis.store import receipts
from hominis.store.types import Artefact, Json
from hominis.train.schedule import consumed

WORN = 4.0
"""Text seen up to so many times teaches nearly what new text does (Muennighoff et al. 2023, arXiv:2305.16264)."""


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
    used = shares_at_hand(shares, training_tokens(corpora))
    sources = [_source(found[corpus], share, sequence) for corpus, share in used.items()]
    dropped = sorted(corpus for corpus, share in shares.items() if share > 0 and corpus not in found)
    return sources, {"shares": used, "dropped": dropped}


def shares_at_hand(shares: Mapping[str, float], tokens: Mapping[str, int]) -> dict[str, float]:
    """Return the shares of the corpora that have ``tokens``, in the order of their names; they add up to 1.

    Raises:
        InputError: there is none.
    """
    used = sorted(corpus for corpus, share in shares.items() if share > 0 and tokens.get(corpus))
    if not used:
        raise InputError(
            f"none of the blend's corpora has training tokens: blend {sorted(shares)}, at hand {sorted(tokens)}",
            where="pretrain.blend",
            remedy="name a corpus that the sources table provides",
        )
    total = math.fsum(shares[corpus] for corpus in used)
    return {corpus: shares[corpus] / total for corpus in used}


def training_tokens(corpora: Sequence[Artefact]) -> dict[str, int]:
    """Return the tokens to train on of each tokenised corpus."""
    return {artefact.summary["corpus"]: artefact.summary["train"]["tokens"] for artefact in corpora}


def epochs(section: PretrainSection, tokens: Mapping[str, int]) -> dict[str, float]:
    """Return how often the run sees each corpus of its blend, given the training ``tokens`` of those at hand."""
    wanted = consumed(section, section.steps) * section.model.sequence
    shares = shares_at_hand(section.blend, tokens)
    return {corpus: share * wanted / tokens[corpus] for corpus, share in shares.items()}


def worn(seen: Mapping[str, float]) -> str:
    """Return the words on corpora that are seen more than ``WORN`` times, given how often; empty if none is."""
    often = ", ".join(f"{corpus} {times:.3g} times" for corpus, times in seen.items() if times > WORN)
    return often and f"seen more than {WORN:g} times, which teaches less than new text (arXiv:2305.16264): {often}"


def check_epochs(section: PretrainSection, tokens: Mapping[str, int]) -> None:
    """Check that the run sees no corpus more often than ``pretrain.epochs``, given the ``tokens`` of those at hand.

    Raises:
        InputError: it does; says by how much, and what would do.
    """
    seen = epochs(section, tokens)
    short = {corpus: times for corpus, times in seen.items() if times > section.epochs}
    if not short:
        return
    worst = max(short, key=lambda corpus: short[corpus])
    most, excess = math.ceil(100 * short[worst]) / 100, short[worst] / section.epochs
    share = math.floor(1e4 * shares_at_hand(section.blend, tokens)[worst] / excess) / 1e4
    steps = _most_steps(section, consumed(section, section.steps) / excess)
    wanted = (
        f"{corpus} is to give {n * tokens[corpus]:,.0f} tokens, has {tokens[corpus]:,}" for corpus, n in short.items()
    )
    raise InputError(
        f"the blend is shorter than the run of {section.steps} steps, a corpus seen {section.epochs:g} times at most: "
        + "; ".join(wanted),
        where="pretrain.blend",
        remedy=f"set pretrain.epochs to {most:g}, or pretrain.steps to {steps}, or the share of {worst} to {share:g}; "
        "or add text",
    )


def check_vocabulary(corpora: Sequence[Artefact], vocabulary: Artefact) -> None:
    """Check that ``corpora`` were tokenised with ``vocabulary``.

    Raises:
        InputError: one was not; names both vocabularies by digest and size.
    """
    given = receipts.digest(vocabulary.receipt)
    for artefact in corpora:
        (made_with,) = artefact.receipt.inputs["vocabulary"]
        if made_with != given:
            raise InputError(
                f"corpus {artefact.summary['corpus']} was tokenised with vocabulary {made_with[:12]} of "
                f"{artefact.summary['vocab_size']} tokens; the one to train with is {given[:12]} of "
                f"{vocabulary.summary['vocab_size']}",
                where=artefact.path,
                remedy="tokenise it again with this vocabulary, or train with the one it was made with",
            )


def _most_steps(section: PretrainSection, samples: float) -> int:
    """Return how many steps ``samples`` are enough for."""
    return bisect.bisect_right(range(1, section.steps + 1), samples, key=lambda step: consumed(section, step))


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
