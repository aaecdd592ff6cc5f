"""A branch goes on as its run would have gone on had the decay begun there: same weights, same samples, same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hominis.config.train import DecaySection, PretrainSection
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Part, Receipt, Summary
from hominis.train import decay
from tests.unit.train.conftest import Folder, Run, _tokenise, artefact, contents, losses, section, train


def trunk(inputs: Inputs, root: Path, **settings: Any) -> tuple[Folder, Artefact]:
    """Train a run and return its artefact with the settings that its receipt would have."""
    run, folder = section(**settings), Folder(root)
    summary = train(run, inputs, folder)
    receipt = Receipt("pretrain", 1, "key", "all", {}, run.keyed(), {}, {}, summary)
    return folder, Artefact(folder.out, receipt)


def branched(made: Artefact, inputs: Inputs, root: Path, settings: DecaySection) -> tuple[Folder, Summary]:
    folder, upstream = Folder(root), {"pretrain": [made], **inputs}
    (part,) = decay.parts(settings, upstream)
    return folder, decay.work(settings, upstream, part, folder)


def test_a_branch_gives_the_bytes_of_a_run_whose_own_decay_begins_there(
    inputs: Inputs, tmp_path: Path, one_rank: Run
) -> None:
    assert (one_rank.settings.steps, one_rank.settings.schedule.decay_steps) == (12, 4)
    run, made = trunk(inputs, tmp_path / "trunk", steps=16, keep_every=8)
    settings = DecaySection(from_step=8, steps=4).within(section(steps=16, keep_every=8))
    folder, summary = branched(made, inputs, tmp_path / "branch", settings)
    assert contents(folder.out) == contents(one_rank.folder.out)
    assert summary == {**one_rank.summary, "from_step": 8}
    assert losses(folder)[:9] == losses(run)[:9]
    assert losses(folder)[10:] != losses(run)[10:12]  # the rates differ


def test_a_branch_takes_the_samples_that_come_next_in_a_run_of_several_epochs(inputs: Inputs, tmp_path: Path) -> None:
    """The order of several epochs depends on how many samples there are in all: here, of 48 rather than 32."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(inputs["vocabulary"][0].path / "tokenizer.json"))
    text = "".join(f"{number} and {number * number} are numbers, " for number in range(36))
    few = {**inputs, "tokenise": [_tokenise(tmp_path / "few", "web", tokenizer, [text, text], inputs["vocabulary"][0])]}
    assert few["tokenise"][0].summary["train"]["tokens"] < 48 * 32 / 2
    short = {"blend": {"web": 1.0}, "schedule": {"warmup_steps": 0, "decay_steps": 0}, "validation_samples": 0}
    settings = DecaySection(from_step=3, steps=1).within(section(steps=6, keep_every=3, **short))
    run, made = trunk(few, tmp_path / "trunk", steps=6, keep_every=3, **short)
    folder, _ = branched(made, few, tmp_path / "branch", settings)
    assert losses(folder) == losses(run)[:4]
    other = Folder(tmp_path / "other")
    train(section(steps=4, **short), few, other)
    assert losses(other) != losses(folder), "a run of that length has another order"


def test_a_checkpoint_that_is_not_there_is_an_error_with_those_that_are(inputs: Inputs, tmp_path: Path) -> None:
    for step in (8, 16):
        (tmp_path / "checkpoints" / f"step-{step:08d}").mkdir(parents=True)
    upstream = {"pretrain": [artefact(tmp_path, "pretrain", "all")]}
    with pytest.raises(InputError, match="no checkpoint of step 12 to branch off") as error:
        decay.parts(DecaySection(from_step=12, steps=4), upstream)
    assert "[8, 16]" in error.value.remedy
    (part,) = decay.parts(DecaySection(from_step=8, steps=4), upstream)
    assert part == Part("all")


@pytest.mark.parametrize(
    ("branch", "said"),
    [
        ({"from_step": 6}, "from_step 6 is no checkpoint that is published: pretrain.keep_every is 4"),
        ({"from_step": 16}, "from_step 16 is not of pretrain's stable steps 8 to 15"),
        ({"from_step": 4}, "from_step 4 is not of pretrain's stable steps 8 to 15"),
        ({"steps": 12}, "from_step 12 \\+ steps 12 = 24 is beyond pretrain.steps 20"),
        ({"style": "cosine"}, "a cosine has no stable rate to branch off"),
        ({"keep_every": 0}, "pretrain.keep_every is 0"),
    ],
)
def test_a_branch_that_the_run_can_t_have_is_refused_with_the_numbers(branch: dict[str, Any], said: str) -> None:
    schedule = {"warmup_steps": 8, "decay_steps": 5, "style": branch.get("style", "wsd")}
    run = section(steps=20, keep_every=branch.get("keep_every", 4), schedule=schedule)
    with pytest.raises(ValueError, match=said):
        DecaySection(from_step=branch.get("from_step", 12), steps=branch.get("steps", 4)).within(run)


@pytest.mark.parametrize("style", ["wsd", "power"])
def test_the_rate_of_a_branch_is_the_run_s_until_it_begins_to_fall(style: str) -> None:
    from hominis.train.schedule import learning_rate

    run = section(steps=40, keep_every=4, schedule={"style": style, "warmup_steps": 4, "decay_steps": 8})
    made = decay.branch(run, DecaySection(from_step=20, steps=6, shape="linear", min_learning_rate=1e-4))
    assert isinstance(made, PretrainSection) and made.steps == 26
    assert [learning_rate(made, step) for step in range(1, 21)] == [learning_rate(run, step) for step in range(1, 21)]
    falling = [learning_rate(made, step) for step in range(20, 27)]
    assert falling == sorted(falling, reverse=True) and 1e-4 < falling[-1] < falling[0] / 4
