"""Only whole checkpoints count."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hominis.errors import InputError
from hominis.train import checkpoints
from tests.unit.train.conftest import section


def save(folder: Path, step: int) -> Path:
    part = checkpoints.unfinished(folder, step)
    part.mkdir(parents=True)
    (part / "shard").write_bytes(b"weights %d" % step)
    return checkpoints.complete(folder, step, {"shard": checkpoints.fingerprint(part / "shard")})


def newest(folder: Path) -> Path | None:
    """Return the newest whole one, given that nothing is to be warned of."""
    heard: list[str] = []
    found = checkpoints.newest_whole(folder, heard.append)
    assert not heard
    return found


def steps(folder: Path) -> list[int]:
    return sorted(map(checkpoints.step_of, folder.iterdir()))


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert newest(tmp_path) is None


def test_the_newest_is_found_by_its_steps(tmp_path: Path) -> None:
    saved = {step: save(tmp_path, step) for step in (9, 100, 20)}
    assert newest(tmp_path) == saved[100]
    assert checkpoints.step_of(saved[100]) == 100


def test_an_unfinished_one_is_ignored_and_removed(tmp_path: Path) -> None:
    whole = save(tmp_path, 10)
    part = checkpoints.unfinished(tmp_path, 20)
    part.mkdir()
    (part / "shard").write_bytes(b"half")
    assert newest(tmp_path) == whole
    assert not part.exists()


def flip(shard: Path) -> None:
    shard.write_bytes(b"Weights 20")


def cut(shard: Path) -> None:
    shard.write_bytes(b"weights")


def lose(shard: Path) -> None:
    shard.unlink()


def spoil_manifest(shard: Path) -> None:
    (shard.parent / checkpoints.MANIFEST).write_text("{")


DAMAGES: dict[Callable[[Path], None], str] = {
    flip: "shard",
    cut: "shard",
    lose: "shard",
    spoil_manifest: checkpoints.MANIFEST,
}


@pytest.mark.parametrize(("damage", "file"), DAMAGES.items())
def test_a_damaged_one_gives_way_to_the_one_before_loudly(
    tmp_path: Path, damage: Callable[[Path], None], file: str
) -> None:
    whole, newer = save(tmp_path, 10), save(tmp_path, 20)
    damage(newer / "shard")
    heard: list[str] = []
    assert checkpoints.newest_whole(tmp_path, heard.append) == whole
    assert heard == [f"damaged checkpoint step-00000020 ({file}): training goes on from step 10"]
    assert not newer.exists()


def test_if_all_are_damaged_training_starts_afresh_loudly(tmp_path: Path) -> None:
    for step in (10, 20):
        lose(save(tmp_path, step) / "shard")
    heard: list[str] = []
    assert checkpoints.newest_whole(tmp_path, heard.append) is None
    assert heard == [
        "damaged checkpoint step-00000020 (shard), step-00000010 (shard): no other is left: training starts afresh"
    ]


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15, 20):
        save(tmp_path, step)
    checkpoints.prune(tmp_path, 2, milestones=0)
    assert steps(tmp_path) == [15, 20]


def test_milestones_are_kept_beside_the_newest(tmp_path: Path) -> None:
    for step in range(5, 40, 5):
        save(tmp_path, step)
    checkpoints.prune(tmp_path, 1, milestones=10)
    assert steps(tmp_path) == [10, 20, 30, 35]


def test_a_checkpoint_is_due_at_intervals_before_the_last_step_and_at_every_milestone() -> None:
    due = [step for step in range(1, 13) if checkpoints.due(step, 12, every=4, milestones=6)]
    assert due == [4, 6, 8, 12]
    assert not any(checkpoints.due(step, 4, every=4, milestones=0) for step in range(1, 5))


def test_milestones_are_published_and_stay_for_another_try(tmp_path: Path) -> None:
    for step in (10, 15, 20):
        save(tmp_path / "scratch", step)
    for _ in range(2):  # an attempt killed before its artefact stood, and the next
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert checkpoints.publish(tmp_path / "scratch", 10, tmp_path / "out", warn=pytest.fail) == [10, 20]
    published = tmp_path / "out" / checkpoints.name(20)
    assert (published / "shard").read_bytes() == b"weights 20"
    assert not list(checkpoints.damages(published))


def test_a_damaged_milestone_is_left_out_loudly(tmp_path: Path) -> None:
    for step in (10, 20):
        save(tmp_path / "scratch", step)
    lose(tmp_path / "scratch" / checkpoints.name(10) / "shard")
    heard: list[str] = []
    assert checkpoints.publish(tmp_path / "scratch", 10, tmp_path / "out", heard.append) == [20]
    assert heard == ["damaged checkpoint step-00000010 (shard): it is not published"]
    assert steps(tmp_path / "out") == [20]


def test_a_checkpoint_of_another_model_is_refused_with_the_numbers_that_clash(tmp_path: Path) -> None:
    here = checkpoints.described(section(), 300)
    (tmp_path / checkpoints.MODEL).write_text(json.dumps(here))
    checkpoints.check_model(tmp_path, here)
    deeper = section().model.model_copy(update={"layers": 3})
    other = checkpoints.described(section(model=deeper.model_dump(), precision="bf16"), 301)
    with pytest.raises(InputError) as refused:
        checkpoints.check_model(tmp_path, other)
    words = "model.layers: 3 here, 2 there; precision: bf16 here, fp32 there; vocab_size: 301 here, 300 there"
    assert refused.value.problem.endswith(words)


def test_a_layout_that_cannot_take_a_checkpoint_over_is_refused(tmp_path: Path) -> None:
    one, many = section(), section(layout={"dp": 2})
    (tmp_path / checkpoints.MODEL).write_text(json.dumps(checkpoints.described(one, 300)))
    shared = section(layout={"dp": 2, "distributed_optimizer": True})
    checkpoints.check_model(tmp_path, checkpoints.described(shared, 300))
    with pytest.raises(InputError, match="optimiser: copied to all data-parallel ranks here, shared out there"):
        checkpoints.check_model(tmp_path, checkpoints.described(many, 300))
