"""The plan and the budget guard where users meet them: beside a run, and at the start of Snakemake."""

import json
import subprocess

from tests.workflow import tiny


def test_a_run_over_its_budget_ends_before_its_first_stage(corpora, tmp_path):
    limited = {"backend": "slurm", "budget": {"gpu_hours": 1e-6}}
    run = tiny.Run(tmp_path, tiny.settings(corpora) | limited)
    done = subprocess.run(run.command(), cwd=tmp_path, capture_output=True, text=True, env=run.environment())
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "pretraining is predicted to cost more than its budget" in said
    assert "limit 1e-06" in said and "budget: {exceed: true}" in said
    assert not run.receipts.exists() and not list(tmp_path.glob("site/attempts/*/*"))


def test_a_plan_knows_the_tokens_at_hand_and_the_vocabulary_that_was_learnt(tokenised):
    found = json.loads(tokenised.hominis("plan", "--json", check=False).stdout)
    site = tokenised.folder / "site" / "store"
    summaries = [json.loads(path.read_text())["summary"] for path in site.glob("*/*/*/receipt.json")]
    at_hand = {s["corpus"]: s["train"]["tokens"] for s in summaries if "heldout" in s and "corpus" in s}
    [learnt] = {s["vocab_size"] for s in summaries if "corpora" in s}
    assert {one["corpus"]: one["tokens"] for one in found["data"]} == at_hand
    assert found["vocabulary"] - 128 < learnt <= found["vocabulary"]
