"""Policies as they are written down: by name, by file, in lists, extending each other."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.config.compose import SHIPPED, compose, read_table, shipped
from hominis.config.corpus import SelectSection
from hominis.config.defaults import REQUIRED
from hominis.config.policy import Policy
from hominis.config.run import load
from hominis.errors import ConfigError

SIZE = {"name": "size", "signal": "bytes", "max": 100}
WORDS = {"name": "words", "signal": "rps_doc_word_count", "min": 10}
LANGUAGE = {"name": "language", "signal": "language", "among": ["en", "it"]}


def names(said, **more):
    return [rule.name for rule in compose(said, "here", **more).rules]


def refused(said, **more):
    with pytest.raises(ConfigError) as caught:
        compose(said, "here", **more)
    return caught.value


def test_extended_policies_come_first_in_the_order_in_which_they_are_named(tmp_path):
    (tmp_path / "one.toml").write_text('[[rules]]\nname = "size"\nsignal = "bytes"\nmax = 100\n')
    own = {"extends": ["./one.toml", "english"], "rules": [WORDS]}
    assert names(own, beside=tmp_path) == ["size", "language", "language_score", "words"]


def test_a_file_names_others_from_its_own_folder(tmp_path):
    (tmp_path / "base.toml").write_text('[[rules]]\nname = "size"\nsignal = "bytes"\nmax = 100\n')
    (tmp_path / "mine.toml").write_text('extends = ["./base.toml", "code"]\nwithout = ["size"]\n')
    assert "size" not in names(str(tmp_path / "mine.toml"))


def test_a_list_is_asked_one_policy_after_the_other():
    assert names(["english", {"rules": [SIZE]}]) == ["language", "language_score", "size"]


def test_the_same_rule_counts_once_where_it_stands_first_whatever_it_says_of_its_paper():
    assert names([{"rules": [SIZE, WORDS]}, {"rules": [{**SIZE, "source": "another"}]}]) == ["size", "words"]


def test_two_meanings_of_a_rule_are_an_error_that_names_both():
    error = refused([{"rules": [SIZE]}, "code"])
    assert error.problem == "rule size says two things: at most 100 in here, at most 1,000,000 in code"
    assert "without" in error.remedy


def test_what_is_left_out_must_be_there():
    error = refused({"extends": ["english"], "without": ["langauge"]})
    assert "no rule langauge" in error.problem and error.remedy == "did you mean language?"
    error = refused({"extends": ["english"], "without": ["no_such_thing"]})
    assert error.remedy == "one of language, language_score"


def test_an_unknown_name_is_an_error_with_the_nearest():
    error = refused("gophre")
    assert (error.problem, error.where, error.remedy) == ("no policy 'gophre' ships", "here", "did you mean gopher?")


def test_policies_that_extend_each_other_are_an_error(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.toml").write_text(f'extends = ["./{other}.toml"]\n')
    assert "a.toml → " in refused(str(tmp_path / "a.toml")).problem


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([WORDS, {"name": "few", "signal": "rps_doc_word_count", "max": 9}], "words (at least 10) and few (at most 9)"),
        ([LANGUAGE, {"name": "other", "signal": "language", "among": ["fr"]}], "language (one of en, it) and other"),
    ],
)
def test_rules_that_contradict_are_an_error_that_names_both(rules, words):
    assert words in refused({"rules": rules}).problem
    assert words in refused([{"rules": [rule]} for rule in rules]).problem


def test_a_wrong_rule_inline_is_named_by_corpus_and_place():
    with pytest.raises(ConfigError, match="max 20 can't be meant: line_short_fraction lies between 0 and 1") as caught:
        SelectSection(policies={"web": [{"rules": [SIZE, {"name": "a", "signal": "line_short_fraction", "max": 20}]}]})
    assert caught.value.where == "select.policies.web, rules.1"


def test_a_value_of_the_wrong_kind_is_shown():
    assert "(it is 'many')" in refused({"rules": [{**SIZE, "max": "many"}]}).problem


def test_a_composed_policy_survives_the_journey_to_a_job():
    section = SelectSection(policies={"web": ["english", "gopher"], "own": {"rules": [SIZE]}})
    assert SelectSection.model_validate(section.model_dump(mode="json")) == section


def test_the_name_of_a_paper_is_in_no_key_and_every_bound_is():
    keyed = [SelectSection(policies={"w": {"rules": [{**SIZE, **more}]}}).keyed() for more in ({}, {"source": "x"})]
    assert keyed[0] == keyed[1]
    assert keyed[0] != SelectSection(policies={"w": {"rules": [{**SIZE, "max": 101}]}}).keyed()


def test_a_source_s_own_policy_goes_before_its_corpus_s():
    section = SelectSection(policies={"web": {"rules": [SIZE]}, "flask": {"rules": [WORDS]}})
    assert section.policy_of("flask", "web").rules[0].name == "words"
    assert section.policy_of("django", "web").rules[0].name == "size"


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_rule_names_its_paper_and_every_policy_its_units(name):
    table = read_table(SHIPPED / f"{name}.toml")
    assert table.about and table.words
    assert all("arXiv:" in rule.source or rule.source.startswith("own") for rule in compose(name, "here").rules)


POOL = [SIZE, {**SIZE, "max": 50}, WORDS, LANGUAGE, {"name": "few", "signal": "rps_doc_word_count", "max": 5}]
POLICIES = st.lists(st.sampled_from(POOL), max_size=3, unique_by=lambda rule: rule["name"])


def composed(*said):
    try:
        return compose(list(said), "here")
    except ConfigError:
        return None


def nested(first, second):
    return None if first is None or second is None else composed(first, second)


@settings(max_examples=200, deadline=None)
@given(POLICIES, POLICIES, POLICIES)
def test_composition_is_associative_and_keeps_the_order(a, b, c):
    a, b, c = ({"rules": rules} for rules in (a, b, c))
    left, right, flat = nested(composed(a, b), composed(c)), nested(composed(a), composed(b, c)), composed(a, b, c)
    assert left == right == flat
    if isinstance(flat, Policy):
        said = [rule["name"] for policy in (a, b, c) for rule in policy["rules"]]
        assert [rule.name for rule in flat.rules] == list(dict.fromkeys(said))


def run_with(policies):
    return load({**REQUIRED, "select": {"policies": policies}})


def test_a_policy_for_nobody_is_an_error():
    every = {key: {"rules": []} for key in ("web", "code", "arxiv", "italian")}
    assert run_with({**every, "flask": {"rules": [SIZE]}}).select.policy_of("flask", "web").rules
    with pytest.raises(ConfigError, match="no source and no corpus is called flaks"):
        run_with({**every, "flaks": {"rules": [SIZE]}})


def test_a_corpus_needs_no_policy_if_each_of_its_sources_has_one():
    own = {key: {"rules": []} for key in ("biopython-tutorial", "emcee-papers", "code", "web", "italian")}
    assert "arxiv" not in run_with(own).select.policies
    with pytest.raises(ConfigError, match=r"select\.policies: none for arxiv"):
        run_with({name: policy for name, policy in own.items() if name != "emcee-papers"})


def test_the_policy_that_the_documentation_shows_is_one(tmp_path):
    (shown,) = re.findall(r"```toml\n(.*?)```", Path("docs/curation.md").read_text(), re.DOTALL)
    (tmp_path / "mine.toml").write_text(shown)
    rules = {rule.name: rule for rule in compose(tmp_path / "mine.toml", "here").rules}
    assert rules["word_count"].min == 20 and rules["licence"].missing == "keep" and "duplicate_lines" not in rules


def test_the_documentation_lists_every_policy_that_ships():
    table = Path("docs/curation.md").read_text().split("| policy |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE)) == shipped()
