"""What the launcher makes of the ranks' reports: progress with an estimate, records of every step, event files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from hominis.errors import Interrupted
from hominis.store.types import Inputs
from hominis.train import checkpoints, laps, watch
from hominis.train.brief import Brief
from tests.unit.train.conftest import Folder, Run, section, train


class Metered(Folder):
    """A folder whose meter is set by hand."""

    joules: float | None = 0.0

    def reading(self) -> dict[str, float | str]:
        return {} if self.joules is None else {"energy_kwh": self.joules / 3.6e6}


class Reports:
    """A watch and the file by which a rank reports to it."""

    def __init__(self, root: Path, steps: int = 100, resume: str = "") -> None:
        self.folder = Metered(root)
        checkpoint_folder, out = self.folder.checkpoints, self.folder.out
        self.brief = Brief(section(steps=steps), (), 300, 0, checkpoint_folder, out, resume)
        self.brief.progress.write_bytes(b"")
        self.brief.start.write_text('{"imports": 2.5}')
        self.watch, self.time = watch.Watch(self.brief, self.folder), 1000.0

    def step(self, number: int, seconds: float = 1.0, **more: Any) -> None:
        self.time += seconds
        line = {"step": number, "time": self.time, "seconds": seconds, "loss": 2.5, "tokens_per_s": 9.0, "mfu": None}
        with self.brief.progress.open("a") as stream:
            stream.write(json.dumps(line | more) + "\n")

    @property
    def figures(self) -> dict[str, float]:
        return self.folder.reports[-1][1]


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reports:
    monkeypatch.setattr(watch, "READ_S", 0.0)
    return Reports(tmp_path)


def recorded(folder: Folder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.records / watch.STEPS).read_text().splitlines()]


def scalars(folder: Folder) -> dict[str, list[tuple[int, float]]]:
    """Return what TensorBoard itself reads from the folder: tag → (step, value)."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder.records))
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_the_rest_is_estimated_from_the_last_steps_and_not_from_the_start(reports: Reports) -> None:
    for number in range(1, 31):
        reports.step(number, seconds=60.0)
    for number in range(31, 31 + watch.RECENT):
        reports.step(number, seconds=2.0)
    reports.watch()
    assert reports.figures["left_s"] == pytest.approx(2.0 * (100 - 50))


def test_time_between_steps_such_as_a_checkpoint_s_is_part_of_the_estimate(reports: Reports) -> None:
    for number in (1, 2, 3, 4):
        reports.step(number)
        reports.time += 1.0
    reports.watch()
    assert reports.figures["left_s"] == pytest.approx(96 * (1 + 2 + 2 + 2) / 4)


def test_what_is_unknown_is_not_told(reports: Reports) -> None:
    reports.step(1)
    reports.watch()
    assert "mfu" not in reports.figures
    reports.step(2, mfu=0.43)
    reports.watch()
    assert reports.figures["mfu"] == 0.43


def test_steps_between_two_readings_share_the_joules_by_their_seconds(reports: Reports) -> None:
    reports.step(1)
    reports.watch()
    reports.step(2, seconds=1.0)
    reports.step(3, seconds=3.0)
    reports.folder.joules = 800.0
    reports.watch()
    assert [line["energy_j"] for line in recorded(reports.folder)] == [None, 200.0, 600.0]


def test_without_a_meter_no_joules_are_claimed(reports: Reports) -> None:
    reports.folder.joules = None
    for number in (1, 2):
        reports.step(number)
        reports.watch()
    assert [line["energy_j"] for line in recorded(reports.folder)] == [None, None]


def test_steps_that_wait_for_a_reading_are_written_in_the_end(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    for number in (1, 2, 3):
        reports.step(number)
        reports.watch()
    reports.watch.close()
    assert [line["step"] for line in recorded(reports.folder)] == [1, 2, 3]
    assert [step for step, _ in scalars(reports.folder)["loss"]] == [1, 2, 3]


def test_half_a_line_is_read_when_it_is_whole(reports: Reports) -> None:
    reports.step(1)
    whole = reports.brief.progress.read_bytes()
    reports.brief.progress.write_bytes(whole[:20])
    reports.watch()
    assert reports.folder.reports == []
    reports.brief.progress.write_bytes(whole)
    reports.watch()
    assert reports.folder.reports[-1][0] == 1


def test_skipped_steps_are_counted_with_those_before_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / checkpoints.name(40)
    checkpoint.mkdir()
    (checkpoint / checkpoints.METRICS).write_text('{"step": 1, "skipped": true}\n{"step": 2}\n')
    reports = Reports(tmp_path / "next", resume=str(checkpoint))
    reports.step(41, skipped=True, loss=None)
    reports.watch()
    assert reports.figures["skipped"] == 2
    assert reports.figures["start_s"] == 2.5
    assert reports.figures["from_step"] == 40
    assert "loss" not in reports.figures


def test_event_files_have_every_number_of_every_step_under_its_name(one_rank: Run) -> None:
    seen, lines = scalars(one_rank.folder), recorded(one_rank.folder)
    assert [step for step, _ in seen["loss"]] == list(range(1, 13))
    for name in ("loss", "grad_norm", "learning_rate", "tokens_per_s", "tflops_per_gpu", "memory_bytes"):
        assert [value for _, value in seen[name]] == pytest.approx([line[name] for line in lines], rel=1e-6)
    assert "mfu" not in seen


def test_records_have_what_the_day_gave_beside_what_the_metrics_have(one_rank: Run) -> None:
    lines = recorded(one_rank.folder)
    metrics = [json.loads(line) for line in (one_rank.folder.out / "metrics.jsonl").read_text().splitlines()]
    assert [{name: line[name] for name in metric} for line, metric in zip(lines, metrics, strict=True)] == metrics
    for line in lines:
        assert line["tokens_per_s"] == pytest.approx(8 * 32 / line["seconds"])
        assert line["memory_bytes"] > 50e6
        assert line["mfu"] is None  # nobody states the peak of a CPU
    assert all(before["time"] + line["seconds"] <= line["time"] + 0.05 for before, line in itertools.pairwise(lines))


def test_floating_point_operations_per_second_are_those_of_a_rank(one_rank: Run, two_ranks: Run) -> None:
    for run, ranks in ((one_rank, 1), (two_ranks, 2)):
        line = recorded(run.folder)[-1]
        flops = line["tflops_per_gpu"] * 1e12 * ranks * line["seconds"]
        assert flops * 12 == pytest.approx(run.summary["flops"])


def test_a_start_is_broken_down_and_says_where_it_went_on(inputs: Inputs, tmp_path: Path) -> None:
    first = Folder(tmp_path / "run", on_progress=lambda done: done >= 4)
    settings = section(steps=4000)
    with pytest.raises(Interrupted):
        train(settings, inputs, first)
    first.out.rmdir()
    second = Folder(tmp_path / "run", on_progress=lambda done: True)
    with pytest.raises(Interrupted):
        train(settings, inputs, second)
    fresh, resumed = map(json.loads, (second.records / watch.STARTS).read_text().splitlines())
    assert fresh["from_step"] == 0
    assert second.reports[0][0] > resumed["from_step"] == second.reports[0][1]["from_step"] >= 4
    assert laps.LOAD not in fresh["seconds"]
    expected = [laps.CHECK, laps.LAUNCH, laps.IMPORTS, laps.GROUP, laps.MODEL, laps.LOAD, laps.DATA, laps.FIRST_STEP]
    assert list(resumed["seconds"]) == expected
    assert all(0 <= seconds < 300 for seconds in resumed["seconds"].values())
