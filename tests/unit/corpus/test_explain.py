"""An explanation says what the selection does."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hominis.config.compose import compose
from hominis.config.policy import Policy, Rule
from hominis.config.signals import INTEGERS, LABELS, NUMBERS
from hominis.corpus.explain import Copies, answers, copies_of, document, verdict
from hominis.corpus.policy import removed_by
from hominis.corpus.readers.rejects import Rejects
from hominis.errors import InputError

SCHEMA = {name: pl.Int64 if name in INTEGERS else pl.Float64 for name in NUMBERS} | dict.fromkeys(LABELS, pl.String)


def column(name):
    least, greatest = NUMBERS[name]
    if name in INTEGERS:
        return st.none() | st.integers(int(least), int(min(greatest, 200)))
    return st.none() | st.floats(least, min(greatest, 20.0))


ROWS = st.fixed_dictionaries(
    {name: column(name) for name in NUMBERS} | {name: st.sampled_from([None, "en", "it"]) for name in LABELS}
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["fineweb", "italia", "code", ["latex", "english"]]), ROWS, st.sampled_from([None, "exact", "near"])
)
def test_what_is_explained_is_what_removes(said, values, kind):
    policy = compose(said, "here")
    row = pl.DataFrame([values], schema=SCHEMA)
    copies = Copies(kind, "other", []) if kind else None
    name = verdict(policy, row, copies)
    assert name == row.with_columns(kind=pl.lit(kind, dtype=pl.String)).select(removed_by(policy)).item()
    said_of = answers(policy, row)
    first = next((answer.rule.name for answer in said_of if not answer.passes), None)
    assert name == (f"duplicate_{kind}" if kind else first)
    for answer in said_of:
        assert answer.margin is None or (answer.margin >= 0) == answer.passes


@pytest.mark.parametrize(("value", "margin"), [(0.5, 0.2), (0.1, -0.2), (1.0, -0.3), (None, None)])
def test_a_margin_is_the_way_to_the_nearest_bound(value, margin):
    policy = Policy(rules=(Rule(name="a", signal="language_score", min=0.3, max=0.7),))
    (answer,) = answers(policy, pl.DataFrame({"language_score": [value]}, schema={"language_score": pl.Float64}))
    assert answer.margin == (None if margin is None else pytest.approx(margin))


def test_an_unknown_id_is_answered_with_the_nearest(tmp_path):
    names = [f"flask/docs/{name}.rst" for name in ("api", "async", "config", "views")]
    table = pl.DataFrame({"id": names, **dict.fromkeys(NUMBERS, 1.0)})
    table.write_parquet(tmp_path / "annotations.parquet")
    with pytest.raises(InputError, match="no document 'flask/docs/asinc") as caught:
        document([tmp_path / "annotations.parquet"], "flask/docs/asinc.rst")
    assert caught.value.remedy.startswith("the nearest ids are flask/docs/async.rst, ")


def test_annotations_without_a_signal_are_told_from_those_where_it_is_unknown(tmp_path):
    pl.DataFrame({"id": ["a"], **dict.fromkeys(sorted(NUMBERS)[1:], 1.0)}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=f"they lack {min(NUMBERS)}"):
        document([tmp_path / "a.parquet"], "a")


def test_a_copy_is_shown_with_the_one_that_stays_and_its_siblings(tmp_path):
    path = tmp_path / "duplicates.parquet"
    pl.DataFrame({"id": ["b", "c", "e"], "kept": ["a", "a", "d"], "kind": ["near", "exact", "near"]}).write_parquet(
        path
    )
    assert copies_of(path, "b") == Copies("near", "a", ["c"])
    assert copies_of(path, "a") is None


def test_a_document_that_the_reader_rejected_is_answered_with_the_reason(tmp_path):
    pl.DataFrame({"id": ["a/1.txt"], **dict.fromkeys(NUMBERS, 1.0)}).write_parquet(tmp_path / "annotations.parquet")
    rejects = Rejects()
    rejects.add("not_utf8", "2.txt", b"\xff")
    rejects.write(tmp_path / "rejects.jsonl.gz")
    with pytest.raises(InputError, match=r"a/2\.txt' was rejected when it was read: not_utf8"):
        document([tmp_path / "annotations.parquet"], "a/2.txt")
