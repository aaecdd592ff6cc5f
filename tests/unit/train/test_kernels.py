"""Who computes a layer: chosen by what the machine has, refused with a remedy where it hasn't."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
from packaging.requirements import Requirement

from hominis.errors import InputError, StageFailed
from hominis.store.types import Inputs
from hominis.train import kernels
from tests.unit.train.conftest import Folder, Run, section, train

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@no_gpu
def test_without_a_gpu_torch_computes() -> None:
    assert kernels.chosen("auto") == kernels.chosen("auto", "bf16") == "torch"
    assert kernels.chosen("unfused") == "unfused"


@no_gpu
@pytest.mark.parametrize(("wanted", "precision"), [("te", "fp32"), ("te", "bf16"), ("te", "fp8"), ("auto", "fp8")])
def test_transformer_engine_where_it_cannot_be_is_refused_with_a_remedy(wanted: Any, precision: str) -> None:
    with pytest.raises(InputError, match="Transformer Engine: there is no GPU") as raised:
        kernels.chosen(wanted, precision)
    assert raised.value.where == "pretrain.kernels"
    assert "set pretrain.kernels to torch" in raised.value.remedy


@pytest.mark.parametrize("wanted", ["torch", "unfused"])
def test_fp8_by_others_than_transformer_engine_is_refused(wanted: Any) -> None:
    with pytest.raises(InputError, match=f"fp8 needs Transformer Engine, but kernels are {wanted}"):
        kernels.chosen(wanted, "fp8")


@no_gpu
def test_a_run_that_asks_for_what_is_not_there_ends_with_the_same_words(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="kernels te need Transformer Engine: there is no GPU") as raised:
        train(section(kernels="te"), inputs, Folder(tmp_path))
    assert "set pretrain.kernels to torch" in raised.value.remedy


@no_gpu
def test_the_artefact_says_who_computed_it(one_rank: Run) -> None:
    assert json.loads((one_rank.folder.out / "model.json").read_text())["kernels"] == "torch"
    assert one_rank.summary["kernels"] == "torch"


def test_the_gpu_environment_pins_transformer_engine_within_what_megatron_accepts() -> None:
    environment = Path(__file__).parents[3] / "envs" / "transformer-engine.txt"
    lines = [line for line in environment.read_text().splitlines() if not line.startswith("#")]
    (pinned,) = (Requirement(line) for line in lines)
    (version,) = (each.version for each in pinned.specifier if each.operator == "==")
    wanted = [Requirement(line) for line in metadata.requires("megatron-core") or []]
    (accepted,) = (each for each in wanted if each.name == "transformer-engine")
    assert version in accepted.specifier
    assert {extra.replace("-", "_") for extra in pinned.extras} == {
        extra.replace("-", "_") for extra in accepted.extras
    }


@pytest.mark.parametrize("groups", [4, 2, 1])
def test_fused_and_unfused_attention_agree_forwards_and_backwards(groups: int) -> None:
    fused, unfused = (_attended(name, groups) for name in ("CausalAttention", "UnfusedAttention"))
    for ours, reference in zip(fused, unfused, strict=True):
        assert ours.abs().max() > 0.1
        torch.testing.assert_close(ours, reference, atol=2e-6, rtol=0)


def _attended(name: str, groups: int) -> list[torch.Tensor]:
    """Return the output and the gradients of 2 sequences of 8 tokens with 4 heads of 6 and ``groups`` keys."""
    from megatron.core.transformer.transformer_config import TransformerConfig

    from hominis.train import layers

    config = TransformerConfig(num_layers=1, hidden_size=24, num_attention_heads=4, use_cpu_initialization=True)
    generator = torch.Generator().manual_seed(7)
    shapes = [(8, 2, heads, 6) for heads in (4, groups, groups)]
    given = [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]
    out = getattr(layers, name)(config)(*given)
    assert out.shape == (8, 2, 24)
    (out * torch.randn(out.shape, generator=generator)).sum().backward()
    return [out.detach(), *(tensor.grad for tensor in given if tensor.grad is not None)]
