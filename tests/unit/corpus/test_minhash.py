import hashlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.hashing import splitmix64
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.sha1 import sha1_first_words
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.minhash import _modular, signatures

MASK = 2**64 - 1
SEED, STEP, LAST = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3
BASE, SPREAD = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9

WORDS = st.lists(st.one_of(st.sampled_from(["a", "bb", "à", "x" * 7, "y" * 8, "z" * 16]), st.text("abcé", min_size=1)))
DOCUMENTS = st.lists(WORDS.map(" ".join), max_size=6)


def splitmix(value):
    """The published function in whole numbers, to compare with."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


def folded(left, right):
    return (left * right >> 64) ^ (left * right & MASK)


def hash64(content):
    mixed, whole = SEED, len(content) // 8 * 8
    for place in range(0, whole, 8):
        mixed = folded(mixed ^ int.from_bytes(content[place : place + 8], "little"), STEP)
    return folded(mixed ^ int.from_bytes(content[whole:], "little"), LAST ^ len(content))


def own_hash(words):
    value = sum(hash64(word.encode()) * pow(BASE, len(words) - 1 - i, 2**64) for i, word in enumerate(words)) & MASK
    return ((value ^ value >> 32) * SPREAD & MASK) >> 32


def own(text, size, permutations):
    words = text.split()
    if not words:
        return None
    hashes = [own_hash(words[i : i + size]) for i in range(max(len(words) - size + 1, 1))]
    drawn = [splitmix(i * 0xD1B54A32D192ED03 & MASK) >> 32 for i in range(2 * permutations)]
    pairs = zip(drawn[:permutations], drawn[permutations:], strict=True)
    return [min((h * (factor | 1) + term) % 2**32 for h in hashes) for factor, term in pairs]


def redpajama(text, size, permutations):
    words, random, prime = text.split(), np.random.RandomState(42), 2**61 - 1
    shingles = {" ".join(words[i : i + size]).encode() for i in range(len(words) - size + 1)}
    hashes = [int.from_bytes(hashlib.sha1(shingle).digest()[:4], "little") for shingle in shingles]
    pairs = [[int(random.randint(low, prime, dtype=np.uint64)) for low in (1, 0)] for _ in range(permutations)]
    return [min((h * a + b) % 2**64 % prime % 2**32 for h in hashes) for a, b in pairs] if hashes else None


def column(documents):
    return texts_of(pl.Series(documents, dtype=pl.String))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=200), max_size=40), st.integers(0, 300))
def test_sha1_of_many_ranges_is_hashlibs(contents, more):
    data = np.frombuffer(b"".join(contents) + bytes(more), dtype=np.uint8)
    bounds = np.cumsum([0, *map(len, contents)])
    words = np.zeros(len(contents), dtype=np.uint32)
    sha1_first_words(data, bounds[:-1], bounds[1:], len(contents), words)
    assert words.tolist() == [int.from_bytes(hashlib.sha1(c).digest()[:4], "little") for c in contents]


def test_sha1_is_right_at_every_length_around_two_blocks():
    data = np.frombuffer(np.random.default_rng(1).bytes(400), dtype=np.uint8)
    ends = np.arange(150)
    words = np.zeros(150, dtype=np.uint32)
    sha1_first_words(data, np.zeros(150, dtype=np.int64), ends, 150, words)
    expected = [hashlib.sha1(data[:end].tobytes()).digest()[:4] for end in range(150)]
    assert words.tobytes() == b"".join(expected)


@settings(deadline=None, max_examples=50)
@given(DOCUMENTS)
def test_content_hash_is_that_of_the_bytes_alone(documents):
    assert content_hashes(column(documents)).tolist() == [hash64(document.encode()) for document in documents]


@pytest.mark.parametrize(("kind", "slow"), [("own", own), ("redpajama", redpajama)])
@settings(deadline=None, max_examples=50)
@given(documents=DOCUMENTS, size=st.integers(1, 5))
def test_signatures_are_those_of_the_definition(kind, slow, documents, size):
    assert signatures(column(documents), kind, size, 3).to_pylist() == [slow(text, size, 3) for text in documents]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.text("ab ", min_size=1, max_size=80).map(lambda t: " ".join(t.split())), min_size=1))
def test_a_text_of_few_different_words_has_the_signature_of_the_definition(documents):
    assert signatures(column(documents), "own", 5, 2).to_pylist() == [own(text, 5, 2) for text in documents]


@pytest.mark.parametrize("kind", ["own", "redpajama"])
def test_signature_does_not_depend_on_the_neighbours_in_the_column(kind):
    texts = [" ".join(str(n % 97) for n in range(size)) for size in (3, 200_000, 0, 17, 90_000, 12)]
    together = signatures(column(texts), kind, 13, 16)
    alone = [signatures(column([text]), kind, 13, 16)[0] for text in texts]
    assert together.to_pylist() == [signature.as_py() for signature in alone]
    assert together.is_valid().to_pylist() == [kind == "own", True, False, True, True, kind == "own"]


def test_permutations_are_redpajamas():
    drawn = b"".join(values.astype("<u8").tobytes() for values in _modular(128))
    assert hashlib.sha256(drawn).hexdigest() == "6a5665743fa1884640a8eb3543348255a90b4dbd55b093f39e3d61ac90eac9e1"


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


@pytest.mark.parametrize("kind", ["own", "redpajama"])
@pytest.mark.parametrize("similarity", [0.3, 0.6, 0.9])
def test_share_of_agreeing_values_estimates_the_jaccard_similarity(similarity, kind):
    rng = np.random.default_rng(1)
    pairs = [_vocabulary_documents(rng, similarity) for _ in range(50)]
    found = signatures(column([text for pair in pairs for text in pair]), kind, 1, 128)
    values = found.flatten().to_numpy().reshape(-1, 128)
    estimates = (values[0::2] == values[1::2]).mean(axis=1)
    standard_error = (similarity * (1 - similarity) / 128) ** 0.5
    assert abs(estimates.mean() - similarity) < 4 * standard_error / 50**0.5
    assert estimates.std() < 1.5 * standard_error


def test_signature_and_content_hash_never_change():
    texts = column(["the quick brown fox jumps over the lazy dog", "perché no"])
    assert signatures(texts, "own", 5, 4).to_pylist() == PINNED_SIGNATURES
    assert content_hashes(texts).tolist() == PINNED_HASHES


PINNED_SIGNATURES = [[652531170, 1258482, 1729074623, 714130103], [975197969, 3459058115, 3382276163, 3888808076]]
PINNED_HASHES = [7879914459176346798, 14572417132566546709]
