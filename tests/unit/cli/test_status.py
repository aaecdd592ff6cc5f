"""What status shows of a running attempt, read from the ledger while it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hominis.cli.status import row_of
from hominis.store import ledger, run
from hominis.store.site import Site
from hominis.store.types import Part
from tests.unit.store import toy


def shown(tmp_path: Path, done: int, *warnings: str, **figures: float) -> dict[str, Any]:
    """Return the row of an attempt that has reported so much, while it is at work."""
    site, rows = Site.at(tmp_path), []

    def work(section: Any, inputs: Any, part: Part, scratch: Any) -> dict[str, Any]:
        for words in warnings:
            scratch.warn(words)
        scratch.progress(done, 5000, "steps", **figures)
        while not (attempts := ledger.read(site.root))[-1].progress:
            time.sleep(0.01)
        rows.append(row_of(attempts[-1]))
        return toy.work(section, inputs, part, scratch)

    run.run_part(site, toy.stage(work), toy.ToySection(), Part("p0"), {}, run="test", heartbeat_s=0.01)
    (row,) = rows
    return row


def test_a_training_part_shows_speed_and_the_rest_by_its_own_estimate(tmp_path: Path) -> None:
    row = shown(tmp_path, 1200, loss=2.5, tokens_per_s=9000.0, mfu=0.43, left_s=7200.5, from_step=0, skipped=1)
    assert row["progress"] == "1,200/5,000 steps loss 2.5, 9,000 tokens/s, MFU 43.0%, 1 skipped"
    assert row["remains"] in {"about 2 h 00 min left", "about 1 h 59 min left"}
    assert row["resumed"] == ""


def test_a_resumed_part_says_from_where_it_went_on(tmp_path: Path) -> None:
    row = shown(tmp_path, 1200, loss=2.5, left_s=60.0, from_step=1150, start_s=75.3)
    assert row["resumed"] == "went on from step 1,150, its start took 1 min 15 s"
    assert row["figures"]["from_step"] == 1150


def test_a_part_without_an_estimate_of_its_own_is_reckoned_by_its_pace(tmp_path: Path) -> None:
    assert shown(tmp_path, 2500)["remains"].startswith("about ")
    assert shown(tmp_path / "other", 0)["remains"] == ""


def test_what_an_attempt_warned_of_is_shown_and_stays_in_the_ledger(tmp_path: Path) -> None:
    words = "damaged checkpoint step-00000020 (shard): training goes on from step 10"
    assert shown(tmp_path, 1200, words)["warnings"] == [words]
    (attempt,) = ledger.read(tmp_path)
    assert attempt.warnings == [words]
