"""Parameters and floating-point operations against counts made by hand."""

from __future__ import annotations

import json

import pytest

from hominis.config.train import ModelSection
from hominis.train import launch
from hominis.train.figures import active_parameters, padded_vocabulary, parameters, step_flops
from tests.unit.train.conftest import section

LLAMA_2_7B = ModelSection(layers=32, hidden=4096, heads=32, kv_heads=32, ffn=11008, sequence=4096)
MIXTRAL = ModelSection(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, experts=8, sequence=4096)
LLAMA_2_70B = ModelSection(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, sequence=4096)


@pytest.mark.parametrize(("model", "published"), [(LLAMA_2_7B, 6_738_415_616), (LLAMA_2_70B, 68_976_648_192)])
def test_llama_2_has_its_published_number_of_parameters(model: ModelSection, published: int) -> None:
    assert parameters(model, 32000) == published


def test_tied_embeddings_are_counted_once() -> None:
    tied = LLAMA_2_7B.model_copy(update={"tie_embeddings": True})
    assert parameters(LLAMA_2_7B, 32000) - parameters(tied, 32000) == 32000 * 4096


def test_a_step_costs_six_operations_a_weight_and_token_plus_attention() -> None:
    embedding, norms = 32000 * 4096, 65 * 4096
    matrices = parameters(LLAMA_2_7B, 32000) - embedding - norms
    attention = 6 * 32 * 4096 * 4096
    assert step_flops(LLAMA_2_7B, 32000, 1) == 4096 * (6 * matrices + attention)


def test_mixtral_has_its_published_numbers_of_parameters() -> None:
    assert parameters(MIXTRAL, 32000) == 46_702_792_704
    assert active_parameters(MIXTRAL, 32000) == pytest.approx(12.9e9, rel=2e-3)


def test_without_experts_every_parameter_is_active() -> None:
    assert active_parameters(LLAMA_2_70B, 32000) == parameters(LLAMA_2_70B, 32000)


def test_a_token_costs_the_experts_that_it_is_sent_to_and_the_router() -> None:
    embedding, norms = 32000 * 4096, 65 * 4096
    matrices = active_parameters(MIXTRAL, 32000) - embedding - norms
    assert step_flops(MIXTRAL, 32000, 1) == 4096 * (6 * matrices + 6 * 32 * 4096 * 4096)


COUNTED = {
    "dense": section(kernels="unfused"),
    "experts": section(
        kernels="unfused",
        model={"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "experts": 4, "sequence": 32},
    ),
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Operations of one sequence forwards and backwards, as torch counts those of the built model."""
    folder = tmp_path_factory.mktemp("counted")
    runs, result = folder / "runs.json", folder / "result.json"
    runs.write_text(json.dumps({name: run.model_dump(mode="json") for name, run in COUNTED.items()}))
    ranks = launch.Launch("tests.unit.train.counted", [str(runs), str(result)], 1, 1, folder)
    launch.run(ranks, poll=lambda: None, stopping=lambda: False)
    found: dict[str, int] = json.loads(result.read_text())
    return found


@pytest.mark.parametrize("name", COUNTED)
def test_the_operations_are_those_that_torch_counts(counted: dict[str, int], name: str) -> None:
    model = COUNTED[name].model
    above_the_diagonal = 3 * model.layers * 2 * model.sequence**2 * model.hidden  # computed and masked without fusion
    assert counted[name] == step_flops(model, 384, 1) + above_the_diagonal


@pytest.mark.parametrize(
    ("size", "tp", "rows"),
    [(8192, 2, 8192), (8193, 2, 8320), (300, 1, 384), (300, 8, 384), (300, 3, 384), (500, 5, 640)],
)
def test_the_padded_vocabulary_is_shared_evenly(size: int, tp: int, rows: int) -> None:
    assert padded_vocabulary(size, tp) == rows
    assert rows % tp == 0
