"""Near-duplicates planted among real text, and how well they are found."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from hominis.config.corpus import DeduplicateSection
from hominis.corpus.kernels.normalise import normalise
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.minhash import Kind
from tests.unit.corpus.annotated import annotations, deduplicated, source


def pieces(words: int = 400) -> Iterator[str]:
    """Yield pieces of that many words or fewer of Python's own sources and its packages', each piece but once."""
    seen = set()
    for place in ("stdlib", "purelib"):
        for path in sorted(Path(sysconfig.get_path(place)).rglob("*.py")):
            content = path.read_text(encoding="utf-8", errors="ignore").split()
            for begin in range(0, len(content) - 40, words):
                piece = " ".join(content[begin : begin + words])
                if piece not in seen:
                    seen.add(piece)
                    yield piece


def planted(originals: list[str], most: float, seed: int) -> dict[str, str]:
    """Return by id the originals and a copy of each, words replaced with a probability drawn from 0 to ``most``."""
    rng = np.random.default_rng(seed)
    texts = {}
    for number, text in enumerate(originals):
        words = text.split()
        replaced = rng.random(len(words)) < rng.uniform(0, most)
        texts[f"a/{number:06}"] = text
        texts[f"b/{number:06}"] = " ".join(np.where(replaced, [f"new{i}" for i in range(len(words))], words))
    return texts


def shingles(texts: dict[str, str], size: int) -> dict[str, frozenset[tuple[str, ...]]]:
    """Return the shingles of each text."""
    normal = normalise(texts_of(pl.Series(list(texts.values()))))
    whole, bounds = normal.data.tobytes(), normal.offsets
    found = {}
    for number, name in enumerate(texts):
        words = whole[bounds[number] : bounds[number + 1]].decode().split(" ")
        found[name] = frozenset(tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)))
    return found


def jaccard(one: frozenset, other: frozenset) -> float:
    """Return the Jaccard similarity of two sets."""
    return len(one & other) / len(one | other)


def judged(
    folder: Path, texts: dict[str, str], section: DeduplicateSection, kind: Kind = "own", size: int = 5
) -> dict[str, float]:
    """Return how well the copies among ``planted`` texts are found by signatures of shingles of ``size`` words.

    Returns:
        ``pairs`` of a true similarity of at least 0.8; their ``recall``: the share whose two documents are of one
        group; ``precision``: the share of documents called near that have a true similarity of at least 0.7
        (``precision_0.8``: 0.8) to another of their group; ``gone``: how many are called near.
    """
    groups = {name: {key: text for key, text in texts.items() if key[0] == name} for name in "ab"}
    sources = [source(folder / name, name, annotations(group, kind, size)) for name, group in groups.items()]
    _, rows, _ = deduplicated(folder / "work", sources, section)
    kept = {row["id"]: row["kept"] for row in rows}
    sets = shingles(texts, size)
    alike = [key for key in groups["a"] if jaccard(sets[key], sets[f"b{key[1:]}"]) >= 0.8]
    found = sum(kept.get(key, key) == kept.get(f"b{key[1:]}", f"b{key[1:]}") for key in alike)
    members: dict[str, set[str]] = {}
    for key, stays in kept.items():
        members.setdefault(stays, {stays}).add(key)
    near = [row["id"] for row in rows if row["kind"] == "near"]
    nearest = np.array([max(jaccard(sets[key], sets[o]) for o in members[kept[key]] - {key}) for key in near])
    return {
        "pairs": len(alike),
        "recall": found / len(alike),
        "gone": len(near),
        "precision": float((nearest >= 0.7).mean()),
        "precision_0.8": float((nearest >= 0.8).mean()),
    }
