import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.hashing import BASE, RangeHash, contains, splitmix64
from hominis.corpus.minhash import EMPTY, shingles, signatures
from hominis.corpus.words import Words


def _splitmix64(value):
    """The published function in whole numbers, to compare with."""
    value = (value + 0x9E3779B97F4A7C15) % 2**64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def _range_hash(content):
    return _splitmix64(sum(byte * pow(BASE, place, 2**64) for place, byte in enumerate(content)) % 2**64)


@settings(deadline=None)
@given(st.binary(max_size=200), st.data())
def test_hash_of_a_range_is_that_of_its_bytes_alone(content, data):
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    ranges = RangeHash(np.frombuffer(content, dtype=np.uint8))
    found = ranges(np.array([start]), np.array([end]))
    assert int(found[0]) == _range_hash(content[start:end])


@settings(deadline=None)
@given(st.lists(st.lists(st.text("abcdè ", min_size=1).map(lambda t: t.replace(" ", "x")))))
def test_words_are_found_with_their_lengths_in_every_document(documents):
    words = Words(pl.Series([" ".join(document) for document in documents], dtype=pl.String))
    assert words.counts.tolist() == [len(document) for document in documents]
    expected = [word for document in documents for word in document]
    assert words.hashes().tolist() == [_range_hash(word.encode()) for word in expected]
    assert np.diff(words.length_sums).tolist() == [len(word) for word in expected]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "bb", "ccc", "à"]), max_size=8), max_size=6), st.integers(1, 4))
def test_shingles_are_runs_of_words_and_a_short_document_is_one(documents, size):
    words = Words(pl.Series([" ".join(document) for document in documents], dtype=pl.String))
    hashes, first = shingles(words, size)
    for number, document in enumerate(documents):
        runs = [document[i : i + size] for i in range(max(len(document) - size + 1, 1))] if document else []
        expected = [_range_hash(" ".join(run).encode()) for run in runs]
        assert hashes[first[number] : first[number + 1]].tolist() == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)))
def test_contains_says_what_a_set_says(ordered, others):
    values = np.array(others + ordered[:3], dtype=np.uint64)
    found = contains(np.array(sorted(ordered), dtype=np.uint64), values)
    assert found.tolist() == [int(value) in set(ordered) for value in values]


def test_splitmix64_gives_the_published_sequence():
    assert [int(splitmix64(np.array([state], dtype=np.uint64))[0]) for state in (0, 0x9E3779B97F4A7C15)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
    ]


def _vocabulary_documents(rng, similarity, words=400):
    """Two documents of distinct words whose one-word shingles have about the given Jaccard similarity."""
    shared = round(words * 2 * similarity / (1 + similarity))
    drawn = rng.permutation(10_000)[: 2 * words - shared]
    common, left, right = np.split(drawn, [shared, words])
    return [" ".join(f"w{n}" for n in np.concatenate([common, own])) for own in (left, right)]


@pytest.mark.parametrize("similarity", [0.3, 0.6, 0.9])
def test_share_of_agreeing_values_estimates_the_jaccard_similarity(similarity):
    rng = np.random.default_rng(1)
    pairs = [_vocabulary_documents(rng, similarity) for _ in range(50)]
    values = signatures(Words(pl.Series([text for pair in pairs for text in pair])), 1, 128)
    estimates = (values[0::2] == values[1::2]).mean(axis=1)
    standard_error = (similarity * (1 - similarity) / 128) ** 0.5
    assert abs(estimates.mean() - similarity) < 4 * standard_error / 50**0.5
    assert estimates.std() < 1.5 * standard_error


def test_signature_does_not_depend_on_the_neighbours_in_the_column():
    texts = [" ".join(str(n % 97) for n in range(size)) for size in (3, 40_000, 0, 7, 20_000, 12)]
    together = signatures(Words(pl.Series(texts)), 5, 16)
    alone = np.concatenate([signatures(Words(pl.Series([text])), 5, 16) for text in texts])
    assert np.array_equal(together, alone)
    assert (together[2] == EMPTY).all()


def test_signature_and_content_hash_never_change():
    words = Words(pl.Series(["the quick brown fox jumps over the lazy dog", "perché no"]))
    assert signatures(words, 5, 4).tolist() == PINNED_SIGNATURES
    assert words.content_hashes().tolist() == PINNED_HASHES


def test_content_hash_tells_orders_and_repetitions_apart():
    def thue_morse(order):
        words = ["a"]
        for _ in range(order):
            words += ["b" if word == "a" else "a" for word in words]
        return words

    morse = thue_morse(11)
    swapped = ["b" if word == "a" else "a" for word in morse]
    texts = ["a b", "b a", "a a", "a", "ab", "", " ".join(morse), " ".join(swapped)]
    hashes = Words(pl.Series(texts)).content_hashes().tolist()
    assert len(set(hashes)) == len(texts)
    assert hashes[5] == 0


PINNED_SIGNATURES = [[2030456233, 104613503, 943300547, 269732215], [2766960402, 3940848909, 2587008709, 810687423]]
PINNED_HASHES = [9303934198024866519, 1827784617676684567]
