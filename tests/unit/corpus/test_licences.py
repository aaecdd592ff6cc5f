import csv
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.corpus.code.licences import NOT_PERMISSIVE, UNKNOWN, Licences, Verdict
from hominis.errors import ConfigError

SPELLINGS = {
    "mit": "MIT",
    "MIT": "MIT",
    "MIT License": "MIT",
    "apache-2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "isc": "ISC",
    "cc0-1.0": "CC0-1.0",
    "unlicense": "Unlicense",
    "artistic-2.0": "Artistic-2.0",
    "Zlib": "Zlib",
    " 0BSD ": "0BSD",
}


@pytest.mark.parametrize(("stated", "spdx"), SPELLINGS.items())
def test_permissive_licences_are_known_as_github_bigquery_and_the_stack_spell_them(stated, spdx):
    assert Licences().verdict(stated) == Verdict(spdx)


@pytest.mark.parametrize(
    "stated",
    [
        "gpl-2.0",
        "gpl-3.0",
        "lgpl-2.1",
        "lgpl-3.0",
        "agpl-3.0",
        "mpl-2.0",
        "epl-1.0",
        "GPL-3.0-or-later",
        "CC-BY-NC-4.0",
    ],
)
def test_licences_that_ask_for_more_are_not_permissive(stated):
    assert Licences().verdict(stated).problem == NOT_PERMISSIVE


@pytest.mark.parametrize(
    "stated", [None, "", " ", [], [""], "unknown", "other", "NOASSERTION", "see LICENSE", "(", "MIT OR"]
)
def test_what_names_no_licence_is_unknown(stated):
    assert Licences().verdict(stated) == Verdict(None, UNKNOWN)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("MIT OR GPL-2.0-only", ""),
        ("GPL-3.0 or apache-2.0", ""),
        ("MIT/Apache-2.0", ""),
        ("MIT AND BSD-3-Clause", ""),
        ("MIT AND GPL-2.0", NOT_PERMISSIVE),
        ("(MIT OR GPL-3.0) AND ISC", ""),
        ("MIT OR GPL-3.0 AND LGPL-2.1", ""),
        ("(MIT OR ISC) AND LGPL-2.1", NOT_PERMISSIVE),
        ("Apache-2.0 WITH LLVM-exception", ""),
        ("GPL-2.0 WITH Classpath-exception-2.0", NOT_PERMISSIVE),
        ("LicenseRef-own OR MIT", ""),
        ("LicenseRef-own AND MIT", UNKNOWN),
        ("LicenseRef-own AND GPL-2.0", NOT_PERMISSIVE),
        ("MIT MIT", UNKNOWN),
        ("(MIT", UNKNOWN),
        ("GPL-2.0+", NOT_PERMISSIVE),
    ],
)
def test_of_an_or_any_licence_will_do_of_an_and_all_hold(expression, problem):
    assert Licences().verdict(expression).problem == problem


def test_all_licences_of_a_list_hold_at_once():
    licences = Licences()
    assert licences.verdict(["mit", "apache-2.0", "mit"]) == Verdict("MIT AND Apache-2.0")
    assert licences.verdict(["MIT OR ISC", "bsd-3-clause"]) == Verdict("(MIT OR ISC) AND BSD-3-Clause")
    assert licences.verdict(["mit", "gpl-3.0"]).problem == NOT_PERMISSIVE
    assert licences.verdict(["mit", "unheard of"]).problem == UNKNOWN


def test_an_own_list_of_licences_replaces_the_table_s_judgement():
    licences = Licences(["apache-2.0", "MPL-2.0"])
    assert not licences.verdict("MPL-2.0").problem
    assert licences.verdict("MIT").problem == NOT_PERMISSIVE
    with pytest.raises(ConfigError, match="unknown licence 'Apche'"):
        Licences(["MIT", "Apche"])


def test_every_spelling_in_the_table_means_one_licence():
    rows = csv.DictReader(files("hominis.corpus.code").joinpath("licences.csv").read_text("utf-8").splitlines())
    spellings = [s for row in rows for s in {row["id"].casefold(), *filter(None, row["aliases"].split(";"))}]
    assert len(spellings) == len(set(spellings)) > 250
    assert all(Licences().verdict(spelling).problem != UNKNOWN for spelling in spellings)


words = st.sampled_from(["MIT", "GPL-2.0", "foo", "AND", "OR", "WITH", "(", ")", "/", "+", " "])


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(), st.lists(words).map(" ".join)))
def test_any_text_has_a_verdict(text):
    verdict = Licences().verdict(text)
    assert verdict.problem in ("", UNKNOWN, NOT_PERMISSIVE)
    assert verdict.problem or verdict.spdx


def test_deep_brackets_are_an_unknown_licence():
    assert Licences().verdict("(" * 100_000 + "MIT").problem == UNKNOWN
