from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hominis.report.build import build
from hominis.store.site import Site
from tests.unit.report.made_run import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(Site.at(tmp_path_factory.mktemp("site")))


def write(made: Made, out: Path, **changes: Any) -> Path:
    e = made.evidence(**changes)
    return build("quickstart", out, e.artefacts, e.stage_receipts, e.attempts, e.account, e.config, e.source, e.records)


@pytest.fixture(scope="session")
def page(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(made, tmp_path_factory.mktemp("report"))


@pytest.fixture
def report(made: Made, tmp_path: Path) -> Callable[..., Path]:
    """Return ``report(**changes) -> page`` for evidence with changes."""
    return lambda **changes: write(made, tmp_path / "changed", **changes)
