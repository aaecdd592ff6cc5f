"""Real runs over a corpus with garbage in it: bad steps change nothing, training goes back, and kills change nothing.

The garbage is one rare token, over and over: a model that has begun to learn is surprised.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder
from tokenizers import Tokenizer

from hominis.config.train import PretrainSection
from hominis.errors import Interrupted
from hominis.store.types import Inputs
from hominis.train import guard
from tests.unit.train.conftest import Folder, Run, artefact, contents, section, train

TOKENS = 2000


@pytest.fixture(scope="module")
def spoilt(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The two corpora and a third of garbage."""
    folder = tmp_path_factory.mktemp("garbage")
    tokenizer = Tokenizer.from_file(str(inputs["vocabulary"][0].path / "tokenizer.json"))
    garbage = tokenizer.token_to_id("\u0100")  # byte 0: in no source file
    for split in ("train", "heldout"):
        builder = IndexedDatasetBuilder(str(folder / f"{split}.bin"), dtype=np.uint16)
        builder.add_document(np.full(TOKENS, garbage, dtype=np.uint16), [TOKENS])
        builder.finalize(str(folder / f"{split}.idx"))
    count = {"documents": 1, "tokens": TOKENS, "bytes": TOKENS}
    noise = artefact(
        folder, "tokenise", "noise", {"corpus": "noise", "train": count, "heldout": count}, inputs["vocabulary"][0]
    )
    return {**inputs, "tokenise": [*inputs["tokenise"], noise]}


def spoilt_section(**changes: Any) -> PretrainSection:
    """Return settings under which step 21, and no other, meets garbage that surprises."""
    spoilt = {
        "blend": {"web": 0.95, "noise": 0.05},
        "guard": {"spike": 1.3, "window": 10, "patience": 1, "lead": 3},
        "global_batch": 1,
        "micro_batch": 1,
        "steps": 30,
        "validation_samples": 0,
    }
    return section(**{**spoilt, **changes})


def metrics(folder: Folder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.out / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def gone_back(spoilt: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that goes back as soon as it meets garbage."""
    folder, settings = Folder(tmp_path_factory.mktemp("gone_back")), spoilt_section()
    return Run(folder, train(settings, spoilt, folder), settings)


@pytest.fixture(scope="module")
def patient(spoilt: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run, of two ranks, that goes on."""
    rules = {"spike": 1.3, "window": 10, "patience": 3}
    settings = spoilt_section(guard=rules, checkpoint_every=1, keep_checkpoints=30, layout={"tp": 2})
    folder = Folder(tmp_path_factory.mktemp("patient"))
    return Run(folder, train(settings, spoilt, folder), settings)


def test_a_bad_step_changes_neither_weights_nor_optimiser_and_is_recorded(patient: Run) -> None:
    bad = [line for line in metrics(patient.folder) if line.get("skipped")]
    assert [line["step"] for line in bad] == [21]
    assert "times the recent median" in bad[0]["why"]
    assert (patient.summary["skipped_steps"], patient.summary["rollbacks"]) == (1, [])
    assert _tensors(patient.folder, 21) == _tensors(patient.folder, 20) != _tensors(patient.folder, 22)


def _tensors(folder: Folder, step: int) -> list[bytes]:
    """Return the bytes of weights and optimiser in the checkpoint after ``step`` steps."""
    return [path.read_bytes() for path in sorted((folder.checkpoints / f"step-{step:08d}").glob("*.distcp"))]


def test_training_goes_back_and_leaves_the_steps_out(gone_back: Run) -> None:
    left_out = [line["step"] for line in metrics(gone_back.folder) if line.get("why") == guard.LEFT_OUT]
    assert left_out == [18, 19, 20, 21]
    assert [line["step"] for line in metrics(gone_back.folder)] == list(range(1, 31))
    assert gone_back.summary["skipped_steps"] == 4
    assert gone_back.summary["tokens"] == (30 - 4) * 32
    (rollback,) = gone_back.summary["rollbacks"]
    assert (rollback["first"], rollback["last"]) == (18, 21)
    assert "times the recent median" in rollback["why"]


def test_what_was_left_out_was_not_trained_on(gone_back: Run, patient: Run) -> None:
    """Until step 17 it is one run; then the weights differ by what steps 18 to 20 had done."""
    there, here = (np.array([line["loss"] or np.nan for line in metrics(run.folder)]) for run in (gone_back, patient))
    assert there[:17] == pytest.approx(here[:17], abs=1e-5, rel=0)
    assert np.all(np.abs(there - here)[21:] > 1e-4)
    assert gone_back.summary["samples"] != patient.summary["samples"]


def test_a_run_stopped_on_the_way_gives_the_bytes_of_one_that_was_not(
    gone_back: Run, spoilt: Inputs, tmp_path: Path
) -> None:
    """Stopped before the garbage, and between the order to go back and its doing."""
    for step in (11, 21):
        attempt = Folder(tmp_path, on_progress=lambda done, step=step: done >= step)
        with pytest.raises(Interrupted):
            train(gone_back.settings, spoilt, attempt)
        assert guard.ordered(attempt.checkpoints) is (step == 21)
        attempt.out.rmdir()
    last = Folder(tmp_path)
    assert train(gone_back.settings, spoilt, last) == gone_back.summary
    assert contents(last.out) == contents(gone_back.folder.out)
