from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.config.corpus import DeduplicateSection
from hominis.corpus import deduplicate
from hominis.corpus.lsh import needed_agreement
from hominis.errors import ConfigError, InputError
from tests.unit.corpus.annotated import annotations, deduplicated, signed, source
from tests.unit.corpus.planted import judged, pieces, planted


@pytest.fixture
def found(tmp_path):
    """Documents that go, of texts by id, the sources being what stands before the ids' slash, in order."""

    def run(texts, **section):
        names = dict.fromkeys(name.split("/")[0] for name in texts)
        groups = {name: {key: texts[key] for key in texts if key.startswith(f"{name}/")} for name in names}
        sources = [source(tmp_path / name, name, annotations(group)) for name, group in groups.items()]
        _, rows, summary = deduplicated(tmp_path / "work", sources, DeduplicateSection(**section))
        assert summary["documents"] == len(texts)
        kinds = [row["kind"] for row in rows]
        assert (summary["exact"], summary["near"]) == (kinds.count("exact"), kinds.count("near"))
        return {row["id"]: (row["kept"], row["kind"]) for row in rows}

    return run


def prose(seed, words=300):
    rng = np.random.default_rng(seed)
    return [f"word{n}" for n in rng.integers(0, 5000, words)]


def edited(words, changes, seed):
    rng, copy = np.random.default_rng(seed), list(words)
    for place in rng.choice(len(copy), changes, replace=False):
        copy[place] = f"new{place}"
    return copy


def test_copies_that_differ_in_case_and_punctuation_are_exact(found):
    texts = {"a/1": "The same, words!", "b/1": "the SAME words", "b/2": "other words entirely"}
    assert found(texts) == {"b/1": ("a/1", "exact")}


def test_first_document_stays_and_a_chain_has_one_survivor(found):
    base = prose(1)
    texts = {name: " ".join(edited(base, 1, seed)) for seed, name in enumerate(["z/1", "a/1", "a/2"])}
    texts["y/1"] = texts["a/2"].upper()
    assert found(texts) == {"a/1": ("z/1", "near"), "a/2": ("z/1", "near"), "y/1": ("z/1", "exact")}


def test_least_id_of_a_source_stays_wherever_it_stands(found):
    texts = {"a/3": "some words of a text", "a/1": "Some words of a text", "a/2": "some words of a text!"}
    assert found(texts) == {"a/2": ("a/1", "exact"), "a/3": ("a/1", "exact")}


def test_preferred_sources_and_corpora_stay(tmp_path):
    parts = {name: annotations({f"{name}/1": "the same words in all"}) for name in "abcd"}
    sources = [source(tmp_path / name, name, table, f"corpus-{name}") for name, table in parts.items()]

    def kept(*prefer):
        _, rows, _ = deduplicated(tmp_path / "work", sources, DeduplicateSection(prefer=prefer))
        return {row["kept"] for row in rows}

    assert (kept(), kept("c"), kept("corpus-b", "c"), kept("d", "a")) == ({"a/1"}, {"c/1"}, {"b/1"}, {"d/1"})


def test_what_is_no_source_cannot_be_preferred(tmp_path):
    sources = [source(tmp_path, "a", annotations({}), "web")]
    with pytest.raises(ConfigError, match=r"no source and no corpus is called typo[\s\S]*one of a, web"):
        deduplicate.parts(DeduplicateSection(prefer=("web", "typo")), {"annotate": sources})


def test_planted_near_copies_are_found_and_unrelated_documents_are_not(found):
    originals = {f"o/{n:03}": prose(n) for n in range(150)}
    copies = {f"p/{n:03}": edited(originals[f"o/{n:03}"], 3, n) for n in range(150)}  # Jaccard about 0.9
    fresh = {f"q/{n:03}": prose(1000 + n) for n in range(150)}
    marked = found({name: " ".join(words) for name, words in {**originals, **copies, **fresh}.items()})
    right = {name: (f"o/{name[2:]}", "near") for name in copies}
    assert marked.items() <= right.items()
    assert len(marked) >= 0.97 * len(right)


def test_verification_drops_pairs_below_the_similarity(found):
    pairs = {f"{n}": prose(n) for n in range(200)}
    texts = {f"o/{n}": " ".join(words) for n, words in pairs.items()}
    texts |= {f"p/{n}": " ".join(edited(words, 20, int(n))) for n, words in pairs.items()}  # Jaccard about 0.55
    loose, strict = found(texts, verify=False), found(texts)
    assert len(strict) < len(loose)
    assert len(strict) < 5


def test_planted_copies_of_real_text_are_found(tmp_path):
    texts = planted(list(islice(pieces(), 500)), most=0.03, seed=7)
    figures = judged(tmp_path, texts, DeduplicateSection())
    assert figures["pairs"] > 250
    assert figures["recall"] >= 0.98
    assert figures["precision"] >= 0.98


def test_documents_without_words_are_not_copies_of_one_another(found):
    assert found({"a/1": "!!!", "a/2": "???", "a/3": "..."}) == {}


def test_documents_of_one_word_are_compared(found):
    assert found({"a/1": "one", "a/2": "two", "a/3": "One."}) == {"a/3": ("a/1", "exact")}


def test_signatures_of_two_kinds_are_refused(tmp_path):
    text = {"a/1": " ".join(prose(1))}
    own, other = annotations(text), annotations(text, "redpajama", 13)
    sources = [source(tmp_path / "a", "first", own), source(tmp_path / "b", "second", other)]
    message = r"first: own, 5 words, 128 values; second: redpajama, 13 words, 128 values[\s\S]*annotate\.signature"
    with pytest.raises(InputError, match=message):
        deduplicated(tmp_path / "work", sources, DeduplicateSection())


def test_order_of_sources_and_documents_changes_nothing_but_the_documents_places(tmp_path):
    texts = {f"{'abc'[n % 3]}/{n:03}": " ".join(edited(prose(n // 4, 80), n % 4, n)) for n in range(120)}
    section = DeduplicateSection(prefer=("b", "c", "a"))

    def made(seed):
        rng = np.random.default_rng(seed)
        ids = rng.permutation(list(texts)) if seed else list(texts)
        tables = {name: annotations({key: texts[key] for key in ids if key[0] == name}) for name in "abc"}
        order = rng.permutation(list("abc")) if seed else "abc"
        sources = [source(tmp_path / f"{seed}{name}", str(name), tables[name]) for name in order]
        _, rows, summary = deduplicated(tmp_path / f"work{seed}", sources, section)
        places = {name: table["id"].to_pylist() for name, table in tables.items()}
        assert all(places[row["source"]][row.pop("row")] == row["id"] for row in rows)
        return rows, summary

    first = made(0)
    assert len(first[0]) > 30
    assert all(made(seed) == first for seed in (1, 2, 3))


def slow(ids, hashes, values, bands, rows, needed):
    """The same by definition: every pair, sets of ids."""
    groups = {i: {i} for i in ids}

    def join(one, other):
        union = groups[one] | groups[other]
        groups.update(dict.fromkeys(union, union))

    first = {}
    exact = {i for i in sorted(ids) if hashes[i] is not None and first.setdefault(hashes[i], i) != i}
    for i in exact:
        join(first[hashes[i]], i)
    signed_ids = [i for i in ids if values[i] is not None and i not in exact]
    for one in signed_ids:
        for other in signed_ids:
            left, right = values[one], values[other]
            same = any(left[b * rows : (b + 1) * rows] == right[b * rows : (b + 1) * rows] for b in range(bands))
            if same and sum(x == y for x, y in zip(left, right, strict=True)) >= needed:
                join(one, other)
    return {i: (min(groups[i]), "exact" if i in exact else "near") for i in sorted(ids) if min(groups[i]) != i}


ROW = st.tuples(st.none() | st.integers(1, 5), st.none() | st.lists(st.integers(0, 2), min_size=6, max_size=6))


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=12), st.sampled_from([(3, 2), (2, 3), (1, 6), (6, 1)]), st.data())
def test_groups_are_those_of_the_definition(tmp_path_factory, documents, shape, data):
    ids = data.draw(st.permutations([f"a/{n:02}" for n in range(len(documents))]))
    similarity = data.draw(st.sampled_from([0.5, 0.7, 1.0]))
    verify = data.draw(st.booleans())
    hashes = {key: document[0] for key, document in zip(ids, documents, strict=True)}
    values = {key: document[1] for key, document in zip(ids, documents, strict=True)}
    table = signed(
        ids, pa.array(list(hashes.values()), pa.uint64()), pa.array(list(values.values()), pa.list_(pa.uint32(), 6))
    )
    folder = tmp_path_factory.mktemp("groups")
    section = DeduplicateSection(similarity=similarity, bands=shape[0], rows=shape[1], verify=verify)
    _, rows, _ = deduplicated(folder / "work", [source(folder / "a", "a", table)], section)
    needed = needed_agreement(similarity, 6) if verify else 0
    expected = slow(ids, hashes, values, *shape, needed)
    assert {row["id"]: (row["kept"], row["kind"]) for row in rows} == expected


def test_the_first_document_of_a_later_source_may_have_copies(found):
    texts = {"first/0": "One text of some words.", "second/0": "Another text.", "second/1": "Another text."}
    assert found(texts) == {"second/1": ("second/0", "exact")}
