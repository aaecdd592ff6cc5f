"""The data card: what receipts say of the text, by source and by corpus."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hominis.report.build import read
from hominis.report.model import Card, Results
from hominis.store.site import Site
from tests.unit.report.made_run import SOURCES, Made, make, train


@pytest.fixture(scope="module")
def results(page: Path) -> Results:
    return read(page.with_name("results.json"))


@pytest.fixture(scope="module")
def words(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.with_name("data.html").read_text()))


def corpus(results: Results, name: str) -> Card:
    (card,) = [card for card in results.corpus_cards if card.corpus == name]
    return card


def test_each_source_and_each_corpus_has_a_card(results: Results):
    assert [card.source for card in results.cards] == list(SOURCES)
    assert [(card.source, card.corpus) for card in results.corpus_cards] == [("", "arxiv"), ("", "code"), ("", "web")]


def test_a_corpus_is_the_sum_of_its_sources(results: Results):
    web, parts = corpus(results, "web"), [card for card in results.cards if card.corpus == "web"]
    for kind in ("languages", "licences", "domains"):
        names = [getattr(card, kind) for card in parts]
        whole = sum(row.bytes for told in names for row in [*told.largest, told.others])
        told = getattr(web, kind)
        assert sum(row.bytes for row in [*told.largest, told.others]) == whole
        assert [row.bytes for row in told.largest] == sorted((row.bytes for row in told.largest), reverse=True)
    assert web.pii == {"email": 17, "ip_address": 3}
    assert corpus(results, "code").skipped == {"licence_unknown": 12, "generated": 3}
    assert corpus(results, "arxiv").noted == {"read_as_8_bit": 4}


def test_names_of_which_a_source_told_only_the_largest_have_at_least_so_much(results: Results):
    web = corpus(results, "web")
    assert (web.languages.exact, web.languages.others.names) == (True, 0)
    assert (web.domains.exact, web.domains.others.names, len(web.domains.largest)) == (False, None, 20)


def test_a_corpus_of_one_source_knows_what_that_knows(results: Results):
    (alone,) = [card for card in results.cards if card.corpus == "code"]
    assert corpus(results, "code").domains == alone.domains


def test_the_samples_of_a_corpus_are_those_with_the_smallest_hashes(results: Results):
    samples = corpus(results, "web").samples
    assert sorted(one.id for one in samples) == ["debian-manual/doc/index.html", "linux-docs/doc/index.html"]
    assert [one.hash for one in samples] == sorted(one.hash for one in samples)


def test_documents_that_hold_an_item_are_added_up_and_the_items_are_not(results: Results):
    told = corpus(results, "web").contamination["humaneval"]
    assert (told.items, told.undecidable, told.documents) == (164, 2, len("debian-manual") + len("linux-docs"))


def test_the_funnels_of_corpora_add_up_to_that_of_all(results: Results):
    assert results.funnel is not None
    assert sum(funnel.kept.bytes for funnel in results.corpus_funnels) == results.funnel.kept.bytes
    assert [funnel.corpus for funnel in results.corpus_funnels] == ["arxiv", "code", "web"]


def test_the_page_says_what_was_mixed_and_what_was_seen_too_often(results: Results, words: str):
    assert results.mix is not None
    assert [(row.corpus, row.worn) for row in results.mix.corpora] == [("arxiv", False), ("code", True), ("web", False)]
    assert "code was seen 4.2 times" in words and "web was seen" not in words
    assert "not in this run: italian" in words
    assert "code 30 % 4.2 11,204,331" in words


def test_a_token_has_so_many_bytes(results: Results):
    assert {row.bytes_per_token for row in results.tokens} == {40_112_777 / 11_204_331}


def test_the_page_says_what_is_in_the_text(words: str):
    assert "GFDL-1.3-or-later" in words and "without an address" in words
    assert "Domains; each has at least so much" in words and words.count("Domains") == 1, "code and papers have none"
    assert (
        "email 0 0 17" in words
        and "humaneval 164 2 12 12 23" in words
        and "licence_unknown" in words
        and "read_as_8_bit" in words
    )
    assert "&lt;b&gt;&amp;&lt;/b&gt; linux-docs per che" in words


def test_a_decay_says_its_own_mix(tmp_path: Path):
    from hominis.report.collect import collect

    made = make(Site.at(tmp_path))
    made.stage("decay", ["all"], lambda out, part: train(out))
    mix = collect("r", made.evidence()).mix
    assert mix is not None and mix.provenance.stage == "decay"


def test_before_training_the_card_has_the_text_alone(report: Callable[..., Path], made: Made):
    page = report(artefacts={name: made.artefacts[name] for name in ("fetch", "annotate", "select")})
    text = page.with_name("data.html").read_text()
    assert "Corpus web" in text and 'id="mix"' not in text
