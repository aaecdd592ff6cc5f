"""A Hugging Face model becomes first weights, the same function to 1e-4, and goes back to the same bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hominis.config.train import AdoptSection, ExportSection, ModelSection
from hominis.errors import InputError
from hominis.store.types import Inputs, Part, Summary
from hominis.train import adopt, export, llama, pretrain, safe
from hominis.train.figures import padded_vocabulary
from hominis.train.translate import pairs
from tests.unit.train.conftest import VOCABULARY, Folder, Run, artefact, losses, section, train

SHAPE = {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32, "rope_base": 500.0}
MODELS = {
    "dense": SHAPE,
    "experts, tied, bf16": SHAPE | {"experts": 4, "experts_per_token": 2, "tie_embeddings": True, "norm_epsilon": 1e-6},
}


def made(folder: Path, inputs: Inputs, shape: dict[str, Any], *, rows: int = VOCABULARY, shard: str = "50GB") -> Path:
    """Write a model of random weights with transformers itself, the run's tokenizer beside it."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, MixtralConfig

    described = llama.to_config(ModelSection.model_validate(shape)) | {"vocab_size": rows, "initializer_range": 0.2}
    kind = MixtralConfig if described["model_type"] == "mixtral" else LlamaConfig
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(kind(**described))
    model.to(torch.bfloat16 if shape.get("experts") else torch.float32).save_pretrained(folder, max_shard_size=shard)
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


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return {name: weight for file in folder.glob("*.safetensors") for name, weight in load_file(file).items()}


@pytest.mark.parametrize("shape", MODELS.values(), ids=MODELS)
def test_megatron_computes_its_logits_and_a_round_trip_gives_its_weights(
    inputs: Inputs, tmp_path: Path, shape: dict[str, Any]
) -> None:
    import torch

    folder = made(tmp_path / "theirs", inputs, shape, shard="20KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    scratch, summary = adopted(folder, inputs, tmp_path / "adopted")
    assert summary["logits_max_difference"] <= 1e-4
    assert summary["logits_max"] > 0.5  # there is something to compare
    before, after = weights(folder), weights(exported(scratch, inputs, tmp_path / "back").out)
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_training_goes_on_from_the_loss_that_the_first_model_has(inputs: Inputs, tmp_path: Path, one_rank: Run) -> None:
    """Exported, adopted under another layout: the first step's loss is what transformers computes on its batch.

    The rows that pad the vocabulary begin at zero: each adds the logit 0.
    """
    folder = exported(one_rank.folder, inputs, tmp_path / "exported").out
    scratch, summary = adopted(folder, inputs, tmp_path / "adopted")
    upstream = {**inputs, "adopt": [artefact(scratch.out, "adopt", "all", summary)]}
    second = Folder(tmp_path / "second")
    batch = {"global_batch": 2, "micro_batch": 2, "validation_samples": 0}
    train(section(layout={"tp": 2}, steps=6, **batch), upstream, second)
    first = losses(second)[0]
    assert first == pytest.approx(_loss(folder, second, inputs), abs=1e-4)
    assert first < losses(one_rank.folder)[0] - 0.5


def _loss(folder: Path, run: Folder, inputs: Inputs) -> float:
    """Return transformers' mean loss on the first two samples of a run, over the padded vocabulary."""
    import torch
    from transformers import AutoModelForCausalLM

    tokens = json.loads((run.out / "probe.json").read_text())["tokens"]
    streams = [np.fromfile(corpus.path / "train.bin", np.uint16).tolist() for corpus in inputs["tokenise"]]
    labels = [[*sample[1:], _next(sample, streams)] for sample in tokens]
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)(torch.tensor(tokens)).logits
    padded = torch.nn.functional.pad(logits, (0, padded_vocabulary(VOCABULARY, 1) - VOCABULARY))
    return float(torch.nn.functional.cross_entropy(padded.flatten(0, 1), torch.tensor(labels).flatten()))


def _next(sample: list[int], streams: list[list[int]]) -> int:
    """Return the token that follows a sample in the text."""
    size = len(sample)
    found = {
        stream[at + size] for stream in streams for at in range(len(stream) - size) if stream[at : at + size] == sample
    }
    (token,) = found
    return token


def test_a_model_of_another_shape_is_refused_with_the_numbers(inputs: Inputs, tmp_path: Path) -> None:
    folder = made(tmp_path / "theirs", inputs, SHAPE)
    adopt.check(folder, ModelSection.model_validate(SHAPE))
    other = {"layers": 3, "kv_heads": 4, "rope_base": 10000.0, "sequence": 64, "experts": 8}
    with pytest.raises(InputError) as error:
        adopt.check(folder, ModelSection.model_validate(SHAPE | other))
    for clash in (
        "layers 2, pretrain.model has 3",
        "kv_heads 2, pretrain.model has 4",
        "rope_base 500.0, pretrain.model has 10000.0",
        "sequence 32 at most, pretrain.model has 64",
        "experts 0, pretrain.model has 8",
    ):
        assert clash in error.value.problem
    summary = {"model": ModelSection.model_validate(SHAPE).model_dump()}
    upstream = {"adopt": [artefact(tmp_path, "adopt", "all", summary)]}
    with pytest.raises(InputError, match=r"hidden 32, pretrain\.model has 64"):
        pretrain.parts(section(model=SHAPE | {"hidden": 64}), upstream)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "gpt2"}, "model_type gpt2"),
        ({"attention_bias": True}, "attention_bias True"),
        ({"hidden_act": "gelu"}, "hidden_act gelu"),
        ({"head_dim": 16}, "head_dim 16, not hidden_size / num_attention_heads = 8"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1.0}}, "rope_type llama3"),
        ({"rms_norm_eps": None}, "it does not say rms_norm_eps"),
        ({"num_key_value_heads": 3}, "heads 4 is not divisible by kv_heads 3"),
    ],
)
def test_another_kind_of_model_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    described = llama.to_config(ModelSection.model_validate(SHAPE)) | {"vocab_size": VOCABULARY}
    assert _from(tmp_path, described) == ModelSection.model_validate(SHAPE)
    with pytest.raises(InputError, match=said):
        _from(tmp_path, described | changes)


def _from(folder: Path, described: dict[str, Any]) -> ModelSection:
    (folder / "config.json").write_text(json.dumps(described))
    return llama.from_config(folder / "config.json")


def test_what_old_folders_say_of_positions_and_heads_is_understood(tmp_path: Path) -> None:
    described = llama.to_config(ModelSection.model_validate(SHAPE)) | {"vocab_size": VOCABULARY}
    old = {name: value for name, value in described.items() if name not in {"rope_parameters", "num_key_value_heads"}}
    assert _from(tmp_path, old | {"rope_theta": 7.0}).rope_base == 7.0
    assert (_from(tmp_path, old).rope_base, _from(tmp_path, old).kv_heads) == (10000.0, 4)


def test_a_folder_without_safetensors_or_with_another_tokenizer_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    folder = made(tmp_path / "theirs", inputs, SHAPE)
    other = json.loads((folder / "tokenizer.json").read_text())
    first, second = list(other["model"]["vocab"])[100:102]
    vocabulary = other["model"]["vocab"]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (folder / "tokenizer.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match="is not the model's: 2 tokens differ") as error:
        adopted(folder, inputs, tmp_path / "adopted")
    assert f"set vocabulary.file to {folder}" in error.value.remedy
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"there is no model\.safetensors"):
        adopted(folder, inputs, tmp_path / "again")


def test_weights_that_the_decoder_has_no_place_for_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    weights = safe.Weights(made(tmp_path / "theirs", inputs, SHAPE))
    rows = padded_vocabulary(VOCABULARY, 1)
    names = {name for pair in pairs(ModelSection.model_validate(SHAPE), VOCABULARY, rows) for name in pair.theirs}
    weights.check(names)
    with pytest.raises(InputError, match=r"1 missing: model\.extra; 1 not known: lm_head\.weight"):
        weights.check({*names, "model.extra"} - {"lm_head.weight"})


def test_changed_weights_are_another_key(inputs: Inputs, tmp_path: Path) -> None:
    folder = made(tmp_path / "theirs", inputs, SHAPE)
    (before,) = adopt.parts(AdoptSection(folder=folder), inputs)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (after,) = adopt.parts(AdoptSection(folder=folder), inputs)
    assert before.params["files"].keys() == {"config.json", "tokenizer.json", "model.safetensors"}
    assert [n for n, digest in before.params["files"].items() if after.params["files"][n] != digest] == [file.name]
