"""The stage ``adopt``: a Hugging Face model's weights, for ``pretrain`` to start from, proven equal.

Light: it starts two processes. What is taken over are the weights; the optimiser begins afresh, at step 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hominis.config.train import AdoptSection, ModelSection
from hominis.errors import InputError
from hominis.store.files import sha256
from hominis.store.types import Inputs, Part, Scratch, Summary
from hominis.train import alone, llama, safe, tokenizer
from hominis.train.figures import padded_vocabulary, parameters

CONFIG, TOKENIZER, CHECKPOINT = "config.json", "tokenizer.json", "checkpoint"


@dataclass(frozen=True)
class AdoptBrief:
    """What ``hominis.train.adopter`` is told.

    Attributes:
        folder: the Hugging Face folder.
        out: folder of the artefact, with its ``model.json``.
        reference: where tokens and megatron's logits go.
        threads: of the process.
    """

    folder: str
    out: str
    reference: str
    threads: int


def parts(section: AdoptSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part, whose params are the SHA-256 of each file.

    Raises:
        InputError: a file isn't there.
    """
    return [Part("all", {"files": _digests(section.folder)})]


def work(section: AdoptSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``checkpoint/``, ``model.json`` and ``probe.json`` as ``pretrain`` does, and compare logits.

    Raises:
        InputError: the folder isn't what it was, is of another kind of model, or has another tokenizer than the run.
        StageFailed: megatron's logits differ from transformers' by more than ``section.tolerance``.
    """
    folder = section.folder.absolute()
    if _digests(folder) != part.params["files"]:
        raise InputError("the folder changed since the stage was asked for", where=folder, remedy="start it again")
    described = _described(folder, inputs)
    (scratch.out / "model.json").write_text(json.dumps(described, indent=1, sort_keys=True) + "\n")
    reference, threads = scratch.checkpoints / "reference.safetensors", section.threads
    scratch.progress(0, 2, "processes")
    alone.run("adopter", AdoptBrief(str(folder), str(scratch.out), str(reference), threads), scratch, threads)
    scratch.progress(1, 2, "processes")
    figures = alone.compare(folder, reference, scratch, tolerance=section.tolerance, threads=threads)
    return {**figures, **{name: described[name] for name in ("model", "vocab_size", "padded_vocab_size")}}


def check(folder: Path, model: ModelSection) -> None:
    """Check that a Hugging Face folder has weights for ``model``: to be asked before anything starts.

    Raises:
        InputError: it has not, or is of another shape; names the numbers that clash.
    """
    safe.files(folder)
    _fits(llama.from_config(folder / CONFIG), model, folder)


def weights(model: ModelSection, inputs: Inputs) -> str:
    """Return where the first weights of ``model`` are; empty if the run adopts none.

    Raises:
        InputError: they are of another shape.
    """
    for adopted in inputs.get("adopt", ()):
        _fits(ModelSection.model_validate(adopted.summary["model"]), model, adopted.path)
        return str(adopted.path / CHECKPOINT)
    return ""


def _fits(theirs: ModelSection, ours: ModelSection, where: Path) -> None:
    if found := llama.clashes(theirs, ours):
        raise InputError(
            f"the weights to start from are of another model: {'; '.join(found)}",
            where=where,
            remedy="set pretrain.model as its config.json has it, or adopt another folder",
        )


def _digests(folder: Path) -> dict[str, str]:
    named = [CONFIG, TOKENIZER, *safe.files(folder)]
    if absent := [name for name in named if not (folder / name).is_file()]:
        remedy = "name a whole folder, as transformers' save_pretrained writes it of model and tokenizer"
        raise InputError(f"there is no {', '.join(absent)}", where=folder.absolute(), remedy=remedy)
    return {name: sha256(folder / name) for name in named}


def _described(folder: Path, inputs: Inputs) -> dict[str, Any]:
    model, config = llama.from_config(folder / CONFIG), json.loads((folder / CONFIG).read_text())
    vocab_size, end = _vocabulary(folder, inputs)
    if config["vocab_size"] < vocab_size:
        problem = f"the model has {config['vocab_size']} rows of vocabulary, its tokenizer {vocab_size} tokens"
        raise InputError(problem, where=folder / CONFIG, remedy="take the tokenizer that the model was trained with")
    return {
        "model": model.model_dump(mode="json"),
        "precision": "bf16" if (config.get("dtype") or config.get("torch_dtype")) == "bfloat16" else "fp32",
        "vocab_size": vocab_size,
        "padded_vocab_size": padded_vocabulary(vocab_size, 1),
        "end_of_document": end,
        "parameters": parameters(model, padded_vocabulary(vocab_size, 1)),
        "validation_loss": None,
    }


def _vocabulary(folder: Path, inputs: Inputs) -> tuple[int, int]:
    """Return the size of the run's vocabulary and its end of document, if it is the folder's own."""
    theirs, ours = tokenizer.tokens(folder / TOKENIZER), tokenizer.tokens(tokenizer.file(inputs["vocabulary"]))
    different = sorted(token for token in {*theirs, *ours} if theirs.get(token) != ours.get(token))
    if different:
        token = different[0]
        raise InputError(
            f"the run's vocabulary is not the model's: {len(different)} tokens differ, {token!r} for one is "
            f"{ours.get(token)} in the run, {theirs.get(token)} in the model",
            where=folder / TOKENIZER,
            remedy=f"set vocabulary.file to {folder / TOKENIZER}",
        )
    return tokenizer.size_and_end(inputs["vocabulary"])
