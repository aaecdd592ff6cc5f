"""Real ranks: runs repeat to the byte, an interrupted run ends as if it hadn't been."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import psutil
import pytest

from hominis.errors import Interrupted, StageFailed
from hominis.store.types import Inputs
from hominis.train import checkpoints, figures
from tests.unit.train.conftest import VOCABULARY, Folder, Run, contents, losses, section, train


def test_the_model_learns(one_rank: Run) -> None:
    assert one_rank.summary["loss_last_mean"] < one_rank.summary["loss_first"]
    assert one_rank.summary["validation_loss"] < one_rank.summary["loss_first"] - 0.3


def test_the_counted_parameters_are_those_of_the_formula(one_rank: Run, two_ranks: Run) -> None:
    rows = figures.padded_vocabulary(VOCABULARY, 1)
    expected = figures.parameters(one_rank.settings.model, rows)
    assert one_rank.summary["parameters"] == two_ranks.summary["parameters"] == expected


def test_the_true_and_the_padded_vocabulary_are_recorded(one_rank: Run) -> None:
    described = json.loads((one_rank.folder.out / "model.json").read_text())
    assert (described["vocab_size"], described["padded_vocab_size"]) == (VOCABULARY, 384)


def test_metrics_have_every_step_and_no_times(one_rank: Run) -> None:
    lines = [json.loads(line) for line in (one_rank.folder.out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert all(set(line) == {"step", "loss", "grad_norm", "learning_rate", "consumed_tokens"} for line in lines)
    assert lines[-1]["consumed_tokens"] == 12 * 8 * 32


def test_the_rate_warms_up_stays_and_decays(one_rank: Run) -> None:
    lines = [json.loads(line) for line in (one_rank.folder.out / "metrics.jsonl").read_text().splitlines()]
    rates = [line["learning_rate"] for line in lines]
    assert rates[0] == pytest.approx(0.005)
    assert rates[1:8] == pytest.approx([0.01] * 7)
    assert 0 < rates[11] < rates[10] < rates[9] < 0.01


def test_progress_reaches_the_attempt(one_rank: Run) -> None:
    done, seen = one_rank.folder.reports[-1]
    assert done == 12
    assert seen["tokens_per_s"] > 0
    assert seen["loss"] == losses(one_rank.folder)[-1]
    assert seen["kept"] == 8  # the last checkpoint


def test_progress_tells_when_the_attempt_s_first_step_was_done(one_rank: Run) -> None:
    begun = {seen["begun"] for _, seen in one_rank.folder.reports}
    assert len(begun) == 1
    assert begun.pop() == pytest.approx(one_rank.folder.out.stat().st_mtime, abs=300)


def test_the_artefact_keeps_the_optimiser_where_asked(one_rank: Run, data_ranks: Run) -> None:
    weights, all_state = (
        sum(path.stat().st_size for path in (run.folder.out / "checkpoint").glob("*.distcp"))
        for run in (one_rank, data_ranks)
    )
    assert all_state > 2.5 * weights  # two moments beside each weight


def test_the_artefact_has_whole_milestones_that_hold_all_that_was_done_until_then(data_ranks: Run) -> None:
    published = data_ranks.folder.out / "checkpoints"
    assert data_ranks.summary["checkpoints"] == [6, 12]
    assert {path.name for path in published.iterdir()} == {checkpoints.name(6), checkpoints.name(12)}
    assert not any(list(checkpoints.damages(path)) for path in published.iterdir())
    halfway = (published / checkpoints.name(6) / checkpoints.METRICS).read_text()
    whole = (data_ranks.folder.out / checkpoints.METRICS).read_text()
    assert len(halfway.splitlines()) == 6
    assert whole.startswith(halfway)


def test_a_run_stopped_and_resumed_gives_the_bytes_of_one_that_was_not(
    data_ranks: Run, inputs: Inputs, tmp_path: Path
) -> None:
    first = Folder(tmp_path, on_progress=lambda done: done >= 1)
    with pytest.raises(Interrupted):
        train(data_ranks.settings, inputs, first)
    assert 1 <= checkpoints.step_of(max(first.checkpoints.glob("step-*"))) < 12
    first.out.rmdir()
    second = Folder(tmp_path)
    summary = train(data_ranks.settings, inputs, second)
    assert second.reports[0][0] > 1
    assert summary == data_ranks.summary
    assert contents(second.out) == contents(data_ranks.folder.out)


def test_a_damaged_checkpoint_is_passed_over(one_rank: Run, inputs: Inputs, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(Interrupted):
        folder.on_progress = lambda done: done >= 5
        train(section(steps=400, schedule={"warmup_steps": 2, "decay_steps": 4}), inputs, folder)
    older, newest = sorted(folder.checkpoints.glob("step-*"))
    shard = newest / "__0_0.distcp"
    shard.write_bytes(bytes([shard.read_bytes()[0] ^ 1]) + shard.read_bytes()[1:])
    folder.out.rmdir()
    again = Folder(tmp_path, on_progress=lambda done: True)
    with pytest.raises(Interrupted):
        train(section(steps=400, schedule={"warmup_steps": 2, "decay_steps": 4}), inputs, again)
    assert json.loads((folder.checkpoints / "brief.json").read_text())["resume"] == str(older)
    step = checkpoints.step_of(older)
    assert again.warnings == [f"damaged checkpoint {newest.name} (__0_0.distcp): training goes on from step {step}"]


def test_one_dead_rank_ends_the_others_and_is_reported(inputs: Inputs, tmp_path: Path) -> None:
    ranks: list[psutil.Process] = []

    def kill_one(done: int) -> None:
        if ranks:
            return  # more may be told before it is seen
        ranks.extend(child for child in psutil.Process().children() if "hominis.train.rank" in child.cmdline())
        ranks[1].kill()

    with pytest.raises(Interrupted, match=r"rank 1 of 2 was killed by signal 9 .* memory ran out"):
        train(section(steps=5000, layout={"tp": 2}), inputs, Folder(tmp_path, on_progress=kill_one))
    assert len(ranks) >= 2
    assert not any(rank.is_running() for rank in ranks)


def test_a_request_to_stop_that_reaches_one_rank_stops_all_with_a_checkpoint(inputs: Inputs, tmp_path: Path) -> None:
    asked: list[psutil.Process] = []

    def ask_one(done: int) -> None:
        if not asked:
            asked.extend(c for c in psutil.Process().children() if "hominis.train.rank" in c.cmdline())
            asked[1].send_signal(signal.SIGUSR2)

    folder = Folder(tmp_path, on_progress=ask_one)
    with pytest.raises(Interrupted):
        train(section(steps=5000, layout={"tp": 2}, checkpoint_every=10**6), inputs, folder)
    assert len(asked) == 2
    (checkpoint,) = folder.checkpoints.glob("step-*")
    assert not list(checkpoints.damages(checkpoint))


def test_a_diverging_run_says_so(inputs: Inputs, tmp_path: Path) -> None:
    wild = {"learning_rate": 1e30, "warmup_steps": 0, "decay_steps": 4}
    words = r"training diverged: at step \d+ .* nan, 3 bad in a row; rollbacks before: 1; steps 1 to \d+ left out"
    with pytest.raises(StageFailed, match=words):
        train(section(schedule=wild, guard={"rollbacks": 1}), inputs, Folder(tmp_path))
