"""A Hugging Face model becomes first weights, the same function to 1e-4, and goes back to the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from hominis.config.train import AdoptSection, ExportSection, ModelSection
from hominis.store.types import Inputs, Part, Summary
from hominis.train import adopt, export, llama
from tests.unit.train.conftest import VOCABULARY, Folder, artefact

SHAPE = {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32, "rope_base": 500.0}
MODELS = {
    "dense": SHAPE,
    "experts, tied": SHAPE | {"experts": 4, "experts_per_token": 2, "tie_embeddings": True, "norm_epsilon": 1e-6},
}


def made(folder: Path, inputs: Inputs, shape: dict[str, Any], *, rows: int = VOCABULARY, shard: str = "50GB") -> Path:
    """Write a model of random weights with transformers itself, the run's tokenizer beside it."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, MixtralConfig

    described = llama.to_config(ModelSection.model_validate(shape)) | {"vocab_size": rows, "initializer_range": 0.2}
    kind = MixtralConfig if described["model_type"] == "mixtral" else LlamaConfig
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(kind(**described))
    model.save_pretrained(folder, max_shard_size=shard)
    shutil.copyfile(inputs["vocabulary"][0].path / "tokenizer.json", folder / "tokenizer.json")
    return folder


def adopted(folder: Path, inputs: Inputs, root: Path) -> tuple[Folder, Summary]:
    scratch, section = Folder(root), AdoptSection(folder=folder)
    upstream = {"vocabulary": inputs["vocabulary"]}
    (part,) = adopt.parts(section, upstream)
    return scratch, adopt.work(section, upstream, part, scratch)


def exported(folder: Folder, inputs: Inputs, root: Path) -> Folder:
    scratch = Folder(root)
    upstream = {"pretrain": [artefact(folder.out, "pretrain", "all")], "vocabulary": inputs["vocabulary"]}
    export.work(ExportSection(), upstream, Part("all"), scratch)
    return scratch


@pytest.mark.parametrize("shape", MODELS.values(), ids=MODELS)
def test_megatron_computes_its_logits_and_a_round_trip_gives_its_weights(
    inputs: Inputs, tmp_path: Path, shape: dict[str, Any]
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = made(tmp_path / "theirs", inputs, shape)
    scratch, summary = adopted(folder, inputs, tmp_path / "adopted")
    assert summary["logits_max_difference"] <= 1e-4
    assert summary["logits_max"] > 0.5
    back = exported(scratch, inputs, tmp_path / "back")
    before, after = load_file(folder / "model.safetensors"), load_file(back.out / "model.safetensors")
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
