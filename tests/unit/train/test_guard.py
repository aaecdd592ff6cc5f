"""Which steps are bad, when training goes back and how far: plain decisions over figures, then real runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hominis.config.schedule import GuardSection
from hominis.errors import StageFailed
from hominis.train import checkpoints, guard
from hominis.train.guard import LEFT_OUT, Guard, Outcome, Rollback

STEPS = 100
NAN = Outcome(None, "the loss is nan")


def after(losses: Iterable[float], **settings: float) -> Guard:
    """Return a guard that has seen good steps with these losses."""
    return Guard(GuardSection(**settings), STEPS, before=[Outcome(loss) for loss in losses])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_figures_that_are_not_finite_are_bad(value: float) -> None:
    assert after([4.0]).objection(value, 1.0) == f"the loss is {value}"
    assert after([4.0]).objection(4.0, value) == f"the gradient's norm is {value}"


def test_a_loss_is_judged_by_the_median_of_the_recent_good_ones() -> None:
    seen = after([90.0, 3.0, 4.0, 50.0, 4.0], window=4, spike=2.0)
    assert seen.objection(8.0, 1.0) == ""
    assert seen.objection(8.1, 1.0) == "the loss 8.1 is above 2 times the recent median 4"


def test_refused_and_left_out_steps_don_t_count_towards_the_median() -> None:
    seen = after([4.0], spike=2.0)
    for outcome in (
        Outcome(100.0, "the loss 100 is above"),
        Outcome(None, LEFT_OUT),
        Outcome(200.0, "the loss 200 is"),
    ):
        seen.note(outcome)
    assert seen.objection(8.1, 1.0)


def test_no_loss_leaps_before_there_is_one_or_without_a_limit() -> None:
    assert after([], spike=2.0).objection(100.0, 1.0) == ""
    assert after([1.0]).objection(1e9, 1.0) == ""


def test_only_bad_steps_in_a_row_lead_back() -> None:
    seen = after([4.0], patience=2)
    for outcome, back in ((NAN, False), (Outcome(4.0), False), (NAN, False), (NAN, True)):
        seen.note(outcome)
        assert seen.asks_back(10) is back


def test_one_bad_step_leads_back_if_it_was_the_last() -> None:
    seen = after([4.0], patience=3)
    assert not seen.asks_back(STEPS)
    seen.note(NAN)
    assert not seen.asks_back(STEPS - 1)
    assert seen.asks_back(STEPS)


def test_the_steps_that_led_there_are_left_out_too() -> None:
    seen = after([4.0] * 18, lead=5, patience=2)
    seen.note(NAN)
    seen.note(NAN)
    assert seen.rollback(20) == Rollback(14, 20, "the loss is nan")
    assert seen.reach(20) == 13


def test_steps_left_out_already_are_no_lead() -> None:
    """Else a second rollback would restore the weights that the bad steps met."""
    seen = Guard(GuardSection(lead=3, patience=1), STEPS, [Rollback(10, 14, "")], [Outcome(4.0)] * 15)
    seen.note(NAN)  # step 16: step 15 is lead, and 9 and 8
    assert seen.rollback(16) == Rollback(8, 16, "the loss is nan")


def test_the_first_step_is_as_far_back_as_it_goes() -> None:
    seen = after([4.0], lead=50, patience=1)
    seen.note(NAN)
    assert seen.rollback(2).first == 1
    assert seen.reach(2) == 0


def test_too_many_rollbacks_end_the_run_with_their_figures() -> None:
    seen = Guard(GuardSection(patience=1, rollbacks=1), STEPS, [Rollback(3, 9, "the loss is inf")], [NAN])
    words = r"at step 20 the loss is nan, 1 bad in a row; rollbacks before: 1; steps 3 to 9 left out: the loss is inf"
    with pytest.raises(StageFailed, match=words):
        seen.rollback(20)


def test_a_run_of_which_nothing_would_be_left_ends() -> None:
    with pytest.raises(StageFailed, match=f"at step {STEPS} the loss is nan"):
        Guard(GuardSection(lead=STEPS), STEPS, before=[Outcome(4.0), NAN]).rollback(STEPS)


figures = st.one_of(st.floats(1, 100), st.just(math.nan))


@given(st.lists(figures, max_size=60), st.integers(1, 6), st.integers(1, 4), st.integers(0, 60))
def test_a_guard_that_resumes_judges_as_one_that_went_on(
    losses: list[float], window: int, patience: int, cut: int
) -> None:
    section = GuardSection(spike=2.0, window=window, patience=patience)
    whole, seen = Guard(section, STEPS), list[Outcome]()
    for step, loss in enumerate(losses):
        if step == cut:
            resumed = Guard(section, STEPS, before=seen[-guard.memory(section) :])
        if step >= cut:
            assert resumed.objection(loss, 1.0) == whole.objection(loss, 1.0)
        seen.append(Outcome(None if math.isnan(loss) else loss, whole.objection(loss, 1.0)))
        for one in [whole, resumed] if step >= cut else [whole]:
            one.note(seen[-1])
        if step >= cut:
            assert (resumed.asks_back(step), resumed.reach(step)) == (
                whole.asks_back(step),
                whole.reach(step),
            )


def test_a_rollback_is_carried_out_once_and_remembered(tmp_path: Path) -> None:
    for step in (2, 5, 6, 8):
        (tmp_path / f"step-{step:08d}").mkdir()
    guard.order(tmp_path, Rollback(6, 9, "the loss is nan"))
    assert guard.ordered(tmp_path)
    guard.settle(tmp_path)
    (tmp_path / "step-00000008").mkdir()  # written anew, those steps left out
    guard.settle(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("step-*")) == ["step-00000002", "step-00000005", "step-00000008"]
    assert guard.read(tmp_path) == [Rollback(6, 9, "the loss is nan")]
    assert not guard.ordered(tmp_path)


def test_a_checkpoint_that_a_rollback_may_want_is_kept(tmp_path: Path) -> None:
    for step in (2, 4, 17, 18, 19):
        (tmp_path / f"step-{step:08d}").mkdir()
    seen = after([4.0] * 19, lead=5)
    checkpoints.prune(tmp_path, keep=2, milestones=0, reach=seen.reach(19))
    assert sorted(map(checkpoints.step_of, tmp_path.glob("step-*"))) == [4, 18, 19]
