"""What tests of several rooms share: stages run through the real store."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hominis.store import artefacts, run
from hominis.store.files import digest
from hominis.store.site import Site
from hominis.store.types import Artefact, Stage

Work = Callable[..., list[Artefact]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "site")


@pytest.fixture
def work(site: Site) -> Work:
    """Return ``work(stage, section, inputs) -> artefacts``, which runs all parts of a stage through the store."""

    def do(stage: Stage, section: Any, inputs: Mapping[str, Sequence[Artefact]]) -> list[Artefact]:
        made = []
        for part in stage.parts(section, inputs):
            refs = {
                name: [_ref(a) for a in upstream if name not in part.inputs or a.part in part.inputs[name]]
                for name, upstream in inputs.items()
            }
            assert run.run_part(site, stage, section, part, refs, run="test") in (run.PUBLISHED, run.PRESENT)
            made.append(artefacts.open_artefact(site, stage.name, run.key_of(stage, section, part, refs)))
        return made

    return do


def _ref(artefact: Artefact) -> tuple[str, str]:
    return artefact.receipt.key, digest((artefact.path / artefacts.RECEIPT).read_text())
