import random
from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.card import SAMPLE_CHARS, SAMPLES, SHOWN, Card

Row = dict[str, Any]
names = st.sampled_from(["", "a", "b", "ä.example", None])
rows = st.builds(
    lambda language, licence, domain, text: {"language": language, "licence": licence, "domain": domain, "text": text},
    names,
    names,
    names,
    st.text(max_size=400),
)


def table(listed: list[Row]) -> pa.Table:
    fields = [pa.field(name, pa.string()) for name in ("id", "language", "licence", "domain")]
    return pa.Table.from_pylist(listed, schema=pa.schema([*fields, pa.field("text", pa.large_string())]))


def card(listed: list[Row], size: int = 7, **options: Any) -> dict[str, Any]:
    made = Card(**options)
    for begin in range(0, len(listed), size):
        made.add(table(listed[begin : begin + size]))
    return made.summary()


def documents(domains: list[str]) -> list[Row]:
    return [
        {"id": f"s/{n}", "language": "en", "licence": "MIT", "domain": domain, "text": f"{domain} {n}"}
        for n, domain in enumerate(domains)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40))
def test_documents_and_bytes_are_counted_by_name_and_nothing_as_unknown(made: list[Row]):
    listed = [row | {"id": f"s/{n}"} for n, row in enumerate(made)]
    told = card(listed)
    for kind in SHOWN:
        column = kind.removesuffix("s")
        number = Counter(row[column] or "" for row in listed)
        size: Counter[str] = Counter()
        for row in listed:
            size[row[column] or ""] += len(row["text"].encode())
        assert told[kind]["largest"] == {name: {"documents": number[name], "bytes": size[name]} for name in number}
        assert told[kind]["exact"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_samples_do_not_depend_on_batches_nor_order(number: int, size: int, chance: random.Random):
    listed = documents(["a.example"] * number)
    shuffled = chance.sample(listed, number)
    assert card(shuffled, size)["samples"] == card(listed)["samples"]
    assert len(card(listed)["samples"]) == min(SAMPLES, number)


def test_the_samples_of_parts_are_those_of_the_whole():
    listed = documents(["a.example"] * 50)
    parts = [*card(listed[:20])["samples"], *card(listed[20:])["samples"]]
    assert sorted(parts, key=lambda one: one["hash"])[:SAMPLES] == card(listed)["samples"]


def test_a_sample_is_the_beginning_of_a_document():
    (sample,) = card([{"id": "s/0", "language": "", "licence": "", "domain": "", "text": "è" * 1000}])["samples"]
    assert (sample["id"], sample["text"]) == ("s/0", "è" * SAMPLE_CHARS)


def test_the_largest_domains_are_named_and_the_others_counted():
    told = card(documents([f"{n:03}.example" for n in range(30) for _ in range(n + 1)]))["domains"]
    assert list(told["largest"]) == [f"{n:03}.example" for n in range(29, 9, -1)]
    assert told["largest"]["029.example"]["documents"] == 30
    assert (told["others"]["names"], told["others"]["documents"]) == (10, 55)


def test_with_more_names_than_room_nothing_is_lost_and_the_card_says_that_it_is_not_exact():
    domains = [name for n in range(200) for name in ("large.example", f"{n}.example")]
    told = card(documents(domains), size=400, room=50)["domains"]
    assert (told["exact"], told["others"]["names"]) == (False, None)
    assert told["largest"]["large.example"]["documents"] == 200
    assert told["others"]["documents"] + sum(row["documents"] for row in told["largest"].values()) == 400


def test_no_documents_have_an_empty_card():
    told = card([])
    assert told["samples"] == []
    nothing = {"largest": {}, "others": {"names": 0, "documents": 0, "bytes": 0}, "exact": True}
    assert [told[kind] for kind in SHOWN] == [nothing] * 3
