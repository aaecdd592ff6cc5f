import polars as pl
import pytest

from hominis.config.corpus import AnnotateSection, SelectSection
from hominis.config.policy import CONTAMINATED, Policy, Rule
from hominis.config.signals import LABELS, NUMBERS
from hominis.corpus.annotations import schema
from hominis.corpus.choice import chosen
from hominis.corpus.policy import passes, removed_by, rule_names
from hominis.errors import ConfigError

LONG = {"name": "long", "signal": "rps_doc_word_count", "min": 10}
LETTERS = {"name": "letters", "signal": "rps_doc_curly_bracket", "max": 0.5}


def outcome(policy, **columns):
    size = len(next(iter(columns.values())))
    frame = pl.DataFrame({"kind": pl.Series([None] * size, dtype=pl.String), **columns})
    return frame.with_columns(removed_by(policy))["removed_by"].to_list()


def test_first_rule_that_fails_is_the_one_that_counts():
    policy = Policy(rules=(Rule(**LONG), Rule(**LETTERS)))
    counts, braces = [5, 5, 20, 20], [0.9, 0.0, 0.9, 0.5]
    found = outcome(policy, rps_doc_word_count=counts, rps_doc_curly_bracket=braces)
    assert found == ["long", "long", "letters", None]
    assert rule_names(policy) == ["duplicate_exact", "duplicate_near", "long", "letters"]


def test_duplicates_come_before_every_rule():
    found = outcome(Policy(rules=(Rule(**LONG),)), kind=["exact", "near", None], rps_doc_word_count=[1, 50, 50])
    assert found == ["duplicate_exact", "duplicate_near", None]


def test_policy_without_rules_keeps_everything():
    assert outcome(Policy(), bytes=[1, 2]) == [None, None]


@pytest.mark.parametrize(("missing", "kept"), [("remove", False), ("keep", True)])
def test_document_without_the_signal_does_as_the_rule_says(missing, kept):
    rule = Rule(**LONG, missing=missing)
    frame = pl.DataFrame({"rps_doc_word_count": [None, 10]}, schema={"rps_doc_word_count": pl.Int64})
    assert frame.select(passes(rule)).to_series().to_list() == [kept, True]


def test_listed_values_pass():
    rule = Rule(name="language", signal="language", among=("it", "en"))
    frame = pl.DataFrame({"language": ["it", "fr", None]})
    assert frame.select(passes(rule)).to_series().to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"name": "a", "signal": "rps_doc_wordcount", "min": 1}, "unknown signal 'rps_doc_wordcount'"),
        ({"name": "a", "signal": "rps_doc_word_count", "among": ("x",)}, "unknown signal"),
        ({"name": "a", "signal": "bytes", "min": 5, "max": 4}, "no document can pass"),
        ({"name": "a", "signal": "bytes"}, "neither min, max nor among"),
        ({"name": "a", "signal": "language", "among": ("it",), "min": 1}, "both a list and bounds"),
        ({"name": "a", "signal": "bytes", "minimum": 5}, "Extra inputs"),
        ({"name": CONTAMINATED, "signal": "bytes", "min": 5}, "counts other documents under this name"),
        ({"name": "a", "signal": "bytes", "min": float("nan")}, "finite number"),
        ({"name": "a", "signal": "bytes", "max": float("inf")}, "finite number"),
    ],
)
def test_rule_that_cannot_be_meant_is_refused(rule, words):
    with pytest.raises(ValueError, match=words):
        Rule(**rule)


def test_wrong_rule_in_a_file_is_named_by_file_and_place(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[[rules]]\nname = "a"\nsignal = "bytes"\nmin = 2\nmax = 1\n')
    with pytest.raises(ConfigError, match="no document can pass") as caught:
        SelectSection(policies={"web": str(path)})
    assert caught.value.where == f"{path}, rules.0"


@pytest.mark.parametrize("content", ["[[rules", None])
def test_policy_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "p.toml"
    if content:
        path.write_text(content)
    with pytest.raises(ConfigError, match="cannot read the policy") as caught:
        SelectSection(policies={"web": path})
    assert caught.value.where == str(path)


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(ValueError, match="more than once: long"):
        Policy(rules=(Rule(**LONG), Rule(**LONG)))


def test_threshold_read_from_a_file_is_in_the_key_and_the_path_is_not(tmp_path):
    texts = {name: f'[[rules]]\nname = "a"\nsignal = "bytes"\nmin = {least}\n' for name, least in (("x", 1), ("y", 2))}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "copy of x").write_text("# a comment\n" + texts["x"])
    keyed = {n: SelectSection(policies={"web": tmp_path / n}).keyed() for n in ("x", "y", "copy of x")}
    assert keyed["x"] == keyed["copy of x"]
    assert keyed["x"] != keyed["y"]


def test_every_signal_of_a_rule_is_a_column_of_the_annotations():
    assert set(NUMBERS) | set(LABELS) <= set(schema(AnnotateSection()).names)


def test_a_source_with_a_policy_of_its_own_is_judged_by_it_and_its_corpus_by_the_other(tmp_path):
    policies = {"flask": Policy(rules=(Rule(**LONG),)), "django": Policy(), "twisted": Policy()}
    for name in policies:
        rest = ("corpus", "language", "licence", "domain", "url", "path")
        said = {"id": name, "source": name, **dict.fromkeys(rest, "")}
        row = said | {"bytes": 1, "content_hash": 1, "rps_doc_word_count": 9, "signature": 0}
        pl.DataFrame([row], schema_overrides={"content_hash": pl.UInt64}).write_parquet(tmp_path / name)
    copies = {"source": ["twisted"], "row": [0], "id": ["twisted"], "kind": ["near"]}
    pl.DataFrame(copies).write_parquet(tmp_path / "duplicates.parquet")
    section, annotations = SelectSection(policies={"web": {"rules": []}}), {name: tmp_path / name for name in policies}

    def removed(name):
        return chosen(name, annotations, tmp_path / "duplicates.parquet", policies, section)["removed_by"].to_list()

    assert [removed(name) for name in policies] == [["long"], [None], ["duplicate_near"]]
