"""Which training a report is about."""

from __future__ import annotations

from pathlib import Path

from hominis.report.origin import Origin
from hominis.store.types import Artefact, Receipt


def made(stage: str) -> Artefact:
    return Artefact(Path("nowhere"), Receipt(stage, 1, stage, "all", {}, {}, {}, {}, {}))


def test_a_report_is_about_the_training_whose_model_is_exported() -> None:
    trunk, branch = made("pretrain"), made("decay")
    assert Origin({"pretrain": [trunk]}, {}, [], "", "").trained() == [trunk]
    assert Origin({"pretrain": [trunk], "decay": [branch]}, {}, [], "", "").trained() == [branch]
    assert not Origin({}, {}, [], "", "").trained()
