import math
from collections import Counter as Tally
from collections import defaultdict

import numpy as np
import pytest

from hominis.evaluate.markov import Counter, grams

TRAIN = [b"the cat sat on the mat", b"the dog sat on the log\n", bytes(range(256)), b"a\x00b\x00\x00c", b""]
HELD = [b"the rat sat on the dog", b"zebra\xff\xfe", b"x"]


def by_the_formula(train, held):
    """Witten-Bell, byte by byte, with dictionaries."""
    seen = [defaultdict(Tally) for _ in range(4)]
    for document in train:
        padded = bytes(3) + document
        for at in range(3, len(padded)):
            for order in range(4):
                seen[order][padded[at - order : at]][padded[at]] += 1

    def probability(order, context, byte):
        if order < 0:
            return 1 / 256
        lower = probability(order - 1, context[1:], byte)
        after = seen[order].get(context)
        if not after:
            return lower
        return (after[byte] + len(after) * lower) / (after.total() + len(after))

    bits = [0.0] * 3
    for document in held:
        padded = bytes(3) + document
        for at in range(3, len(padded)):
            for order in (1, 2, 3):
                bits[order - 1] -= math.log2(probability(order, padded[at - order : at], padded[at]))
    return bits


def learnt(*batches):
    counter = Counter()
    for batch in batches:
        counter.add(batch)
    return counter.model()


def test_bits_are_those_of_the_formula():
    assert learnt(TRAIN).bits(HELD) == pytest.approx(by_the_formula(TRAIN, HELD), rel=1e-12)


def test_batches_leave_no_trace():
    whole = learnt(TRAIN).bits(HELD)
    assert learnt(TRAIN[:1], TRAIN[1:2], TRAIN[2:]).bits(HELD) == whole
    assert learnt(TRAIN[3:], TRAIN[:3]).bits(HELD) == whole


@pytest.mark.parametrize("context", [b"", b"t", b"th", b"the", b"qqq", b"\xff\x00a"])
def test_probabilities_of_all_bytes_sum_to_one(context):
    model = learnt(TRAIN)
    for order in range(3):
        bits = [
            np.subtract(model.bits([context + bytes([b])]), model.bits([context]) if context else 0) for b in range(256)
        ]
        assert sum(2.0 ** -float(each[order]) for each in bits) == pytest.approx(1, rel=1e-9)


def test_longer_contexts_spend_fewer_bits_on_text_like_the_training():
    text = b"one fish two fish red fish blue fish " * 50
    first, second, third = learnt([text]).bits([text[:500]])
    assert first > second > third


def test_random_bytes_cannot_be_compressed():
    noise = np.random.default_rng(3)
    model = learnt([noise.bytes(200_000)])
    first, second, third = (bits / 10_000 for bits in model.bits([noise.bytes(10_000)]))
    assert 8 < first < 8.2
    assert second > 8 and third > 8


def test_contexts_do_not_cross_documents():
    assert grams([b"ab", b"c"]).tolist() == [0x61, 0x6162, 0x63]
    assert learnt([b"ab"]).bits([b"a", b"b"]) == learnt([b"ab"]).bits([b"b", b"a"])


def test_empty_documents_count_for_nothing():
    assert grams([]).tolist() == grams([b"", b""]).tolist() == []
    assert learnt(TRAIN).bits([b"", *HELD]) == learnt(TRAIN).bits(HELD)
