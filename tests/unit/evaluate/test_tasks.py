from pathlib import Path

import pytest
import yaml

TASKS = Path(__file__).parents[3] / "src" / "hominis" / "evaluate" / "tasks"


class IgnoresFunctions(yaml.SafeLoader):
    """Reads lm-eval's files, whose functions fetch scorers when they are loaded."""


IgnoresFunctions.add_constructor("!function", lambda loader, node: None)


def test_humaneval_asks_as_upstream_does():
    lm_eval = pytest.importorskip("lm_eval", reason="lm_eval is not installed")
    upstream = Path(lm_eval.__file__).parent / "tasks" / "humaneval" / "humaneval.yaml"
    theirs = yaml.load(upstream.read_text(), IgnoresFunctions)
    ours = yaml.safe_load((TASKS / "humaneval.yaml").read_text())
    same = ("output_type", "test_split", "doc_to_text", "doc_to_target", "generation_kwargs", "repeats", "num_fewshot")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
