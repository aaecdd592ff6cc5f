"""Only whole checkpoints count."""

from __future__ import annotations

from pathlib import Path

import pytest

from hominis.train import checkpoints


def save(folder: Path, step: int) -> Path:
    part = checkpoints.unfinished(folder, step)
    part.mkdir(parents=True)
    (part / "shard").write_bytes(b"weights %d" % step)
    return checkpoints.complete(folder, step, {"shard": checkpoints.fingerprint(part / "shard")})


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert checkpoints.newest_whole(tmp_path) is None


def test_the_newest_is_found_by_its_steps(tmp_path: Path) -> None:
    saved = {step: save(tmp_path, step) for step in (9, 100, 20)}
    assert checkpoints.newest_whole(tmp_path) == saved[100]
    assert checkpoints.step_of(saved[100]) == 100


def test_an_unfinished_one_is_ignored_and_removed(tmp_path: Path) -> None:
    whole = save(tmp_path, 10)
    part = checkpoints.unfinished(tmp_path, 20)
    part.mkdir()
    (part / "shard").write_bytes(b"half")
    assert checkpoints.newest_whole(tmp_path) == whole
    assert not part.exists()


def flip(shard: Path) -> None:
    shard.write_bytes(b"Weights 20")


def cut(shard: Path) -> None:
    shard.write_bytes(b"weights")


def lose(shard: Path) -> None:
    shard.unlink()


def spoil_manifest(shard: Path) -> None:
    (shard.parent / checkpoints.MANIFEST).write_text("{")


@pytest.mark.parametrize("damage", [flip, cut, lose, spoil_manifest])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path, damage: object) -> None:
    whole, newest = save(tmp_path, 10), save(tmp_path, 20)
    assert callable(damage)
    damage(newest / "shard")
    assert checkpoints.newest_whole(tmp_path) == whole
    assert not newest.exists()


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15, 20):
        save(tmp_path, step)
    checkpoints.prune(tmp_path, 2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [checkpoints.name(15), checkpoints.name(20)]
