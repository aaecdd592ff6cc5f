import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from hominis.config.corpus import DeduplicateSection
from hominis.corpus.duplicates import duplicates
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.lsh import WINDOW, best_bands, candidates, groups
from hominis.corpus.minhash import signatures
from hominis.corpus.signals import normalise


def documents(texts):
    """A table as ``ranked`` gives it, of texts by id."""
    normalised = texts_of(normalise(pl.Series(list(texts.values()))))
    hashes = content_hashes(normalised)
    wordless = np.diff(normalised.offsets) == 0
    return pa.table(
        {
            "id": list(texts),
            "content_hash": pa.array(hashes, mask=wordless),
            "signature": signatures(normalised, "own", 5, 128),
        }
    )


def found(texts, similarity=0.8, verify=True):
    bands, rows = best_bands(similarity, 128, verify)
    rows_found = duplicates(documents(texts), bands, rows, similarity if verify else 0.0).to_pylist()
    return {row["id"]: (row["kept"], row["kind"]) for row in rows_found}


def prose(seed, words=300):
    rng = np.random.default_rng(seed)
    return [f"word{n}" for n in rng.integers(0, 5000, words)]


def edited(words, changes, seed):
    rng, copy = np.random.default_rng(seed), list(words)
    for place in rng.choice(len(copy), changes, replace=False):
        copy[place] = f"new{place}"
    return copy


def test_copies_that_differ_in_case_and_punctuation_are_exact():
    texts = {"a/1": "The same, words!", "b/1": "the SAME words", "b/2": "other words entirely"}
    assert found(texts) == {"b/1": ("a/1", "exact")}


def test_first_document_stays_and_a_chain_has_one_survivor():
    base = prose(1)
    texts = {name: " ".join(edited(base, 1, seed)) for seed, name in enumerate(["z/1", "a/1", "a/2"])}
    texts["y/1"] = texts["a/2"].upper()
    assert found(texts) == {"a/1": ("z/1", "near"), "a/2": ("z/1", "near"), "y/1": ("z/1", "exact")}


def test_planted_near_copies_are_found_and_unrelated_documents_are_not():
    originals = {f"o/{n:03}": prose(n) for n in range(150)}
    copies = {f"p/{n:03}": edited(originals[f"o/{n:03}"], 3, n) for n in range(150)}  # Jaccard about 0.9
    fresh = {f"q/{n:03}": prose(1000 + n) for n in range(150)}
    marked = found({name: " ".join(words) for name, words in {**originals, **copies, **fresh}.items()})
    right = {name: (f"o/{name[2:]}", "near") for name in copies}
    assert marked.items() <= right.items()
    assert len(marked) >= 0.97 * len(right)


def test_verification_drops_pairs_below_the_similarity():
    pairs = {f"{n}": prose(n) for n in range(200)}
    texts = {f"o/{n}": " ".join(words) for n, words in pairs.items()}
    texts |= {f"p/{n}": " ".join(edited(words, 14, int(n))) for n, words in pairs.items()}  # Jaccard about 0.65
    loose, strict = found(texts, verify=False), found(texts)
    assert len(strict) < len(loose)
    assert len(strict) < 5


def test_documents_without_words_are_not_copies_of_one_another():
    assert found({"a/1": "!!!", "a/2": "???", "a/3": "..."}) == {}


def test_documents_of_one_word_are_compared():
    assert found({"a/1": "one", "a/2": "two", "a/3": "One."}) == {"a/3": ("a/1", "exact")}


def test_a_bucket_larger_than_the_window_still_forms_one_group():
    values = np.zeros((3 * WINDOW, 4), dtype=np.uint32)
    pairs = candidates(values, 2, 2)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len(pairs) <= WINDOW * len(values)
    assert (groups(pairs, len(values)) == 0).all()


def test_no_candidates_leave_every_document_to_itself():
    values = np.arange(40, dtype=np.uint32).reshape(10, 4)
    assert groups(candidates(values, 2, 2), 10).tolist() == list(range(10))


@pytest.mark.parametrize(("similarity", "bands", "rows"), [(0.7, 14, 9), (0.8, 9, 13), (0.9, 5, 25)])
def test_bands_are_those_that_redpajama_v2_chose_where_nothing_is_verified(similarity, bands, rows):
    assert best_bands(similarity, 128, verify=False) == (bands, rows)


def test_verified_bands_miss_few_pairs():
    bands, rows = best_bands(0.8, 128, verify=True)
    assert 1 - (1 - 0.85**rows) ** bands > 0.99


def test_bands_without_rows_are_refused():
    with pytest.raises(ValueError, match="give both or neither"):
        DeduplicateSection(bands=3)
