"""A model's shape as Hugging Face's ``config.json`` has it, both ways, and the small files of such a folder.

Llama, and with experts Mixtral: the same decoder, whose router is a softmax over the chosen experts alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hominis.config.train import ModelSection
from hominis.errors import InputError
from hominis.train.tokenizer import tokens

SHAPE = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "ffn": "intermediate_size",
    "norm_epsilon": "rms_norm_eps",
    "tie_embeddings": "tie_word_embeddings",
    "sequence": "max_position_embeddings",
}
EXPERTS = {"experts": "num_local_experts", "experts_per_token": "num_experts_per_tok"}
THETA = {"llama": 10000.0, "mixtral": 1000000.0}
"""Base of the rotary positions where a ``config.json`` says none, as transformers has it."""

PLAIN: dict[str, tuple[Any, ...]] = {
    "hidden_act": (None, "silu"),
    "attention_bias": (None, False),
    "mlp_bias": (None, False),
    "sliding_window": (None,),
    "rope_scaling": (None,),
}
"""What would make another model of it, and the values that don't."""


def to_config(model: ModelSection) -> dict[str, Any]:
    """Return what ``config.json`` says of the model's shape."""
    kind, named = ("mixtral", SHAPE | EXPERTS) if model.experts else ("llama", SHAPE)
    bare = {"attention_bias": False, "mlp_bias": False} if kind == "llama" else {"sliding_window": None}
    return {
        "model_type": kind,
        "architectures": [f"{kind.capitalize()}ForCausalLM"],
        **{theirs: getattr(model, ours) for ours, theirs in named.items()},
        "head_dim": model.hidden // model.heads,
        "hidden_act": "silu",
        "initializer_range": model.init_std,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_base},
        **bare,
    }


def from_config(path: Path) -> ModelSection:
    """Return the shape that a ``config.json`` describes.

    Raises:
        InputError: it can't be read, or is of a model that this decoder is not; names what and its value.
    """
    config = _read(path)
    kind = config.get("model_type")
    named = SHAPE | EXPERTS if kind == "mixtral" else SHAPE
    given = {"num_key_value_heads": config.get("num_attention_heads"), "tie_word_embeddings": False} | config
    if problems := list(_strange(given, named)):
        raise InputError(
            f"not a model that can be trained on here: {'; '.join(problems)}",
            where=path,
            remedy="take a Llama or Mixtral model without biases, sliding windows and scaled positions",
        )
    rope = config.get("rope_parameters") or config
    shape = {ours: given[theirs] for ours, theirs in named.items()}
    try:
        return ModelSection(**shape, rope_base=rope.get("rope_theta") or THETA[str(kind)])
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}" for e in error.errors())
        raise InputError(f"not a possible shape: {said}", where=path, remedy="download it again") from None


def clashes(theirs: ModelSection, ours: ModelSection) -> list[str]:
    """Return in what a model differs from the one that ``pretrain.model`` asks for, so that its weights don't fit."""
    names = [name for name in (*SHAPE, *EXPERTS, "rope_base") if name != "sequence"]
    if not theirs.experts and not ours.experts:
        names.remove("experts_per_token")
    pairs = [(name, getattr(theirs, name), getattr(ours, name)) for name in names]
    found = [f"{name} {its}, pretrain.model has {mine}" for name, its, mine in pairs if its != mine]
    if ours.sequence > theirs.sequence:
        found.append(f"sequence {theirs.sequence} at most, pretrain.model has {ours.sequence}")
    return found


def describe(folder: Path, described: Mapping[str, Any], tokenizer_file: Path) -> None:
    """Write all of a Hugging Face folder but the weights, for a model as ``model.json`` has it."""
    model, end = ModelSection.model_validate(described["model"]), described["end_of_document"]
    special = {f"{role}_token_id": end for role in ("bos", "eos", "pad")}
    dtype = "float32" if described["precision"] == "fp32" else "bfloat16"
    _write(folder / "config.json", to_config(model) | special | {"vocab_size": described["vocab_size"], "dtype": dtype})
    _write(folder / "generation_config.json", special)
    shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    token = next(name for name, number in tokens(tokenizer_file).items() if number == end)
    named = {f"{role}_token": token for role in ("bos", "eos", "pad")}
    more = {"model_max_length": model.sequence, "clean_up_tokenization_spaces": False}
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **named, **more})


def _strange(config: Mapping[str, Any], named: Mapping[str, str]) -> Iterator[str]:
    if config.get("model_type") not in THETA:
        yield f"model_type {config.get('model_type')}"
        return
    if absent := sorted(theirs for theirs in (*named.values(), "vocab_size") if config.get(theirs) is None):
        yield f"it does not say {', '.join(absent)}"
        return
    yield from (f"{name} {config[name]}" for name, plain in PLAIN.items() if config.get(name) not in plain)
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type", "default") != "default":
        yield f"rope_type {rope['rope_type']}"
    width = config["hidden_size"] // config["num_attention_heads"]
    if config.get("head_dim") not in (None, width):
        yield f"head_dim {config['head_dim']}, not hidden_size / num_attention_heads = {width}"


def _read(path: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no {path.name}", where=path, remedy="name a Hugging Face folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"can't read {path.name}: {error}", where=path, remedy="download it again") from None
    return read


def _write(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
