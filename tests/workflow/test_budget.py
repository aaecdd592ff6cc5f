"""The budget guard where users meet it: at the start of Snakemake."""

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
