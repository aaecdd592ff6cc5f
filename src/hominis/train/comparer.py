"""Second half of the export, with transformers and no patches: ``python -m hominis.train.comparer BRIEF``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hominis.config.train import ModelSection
from hominis.errors import StageFailed
from hominis.train import lifeline, stop
from hominis.train.export import ExportBrief
from hominis.train.pretrain import END_OF_DOCUMENT


def finish(path: Path) -> int:
    """Write configuration and tokenizer beside the weights, load the folder and compare; return the exit code.

    Raises:
        StageFailed: the logits differ by more than the tolerance.
    """
    import torch

    brief = ExportBrief.read(path)
    torch.set_num_threads(brief.threads)
    described = json.loads((Path(brief.pretrained) / "model.json").read_text())
    _write_config(brief, described)
    _write_tokenizer(brief, described)
    figures = compare(Path(brief.out), Path(brief.reference), brief.tolerance)
    Path(brief.result).write_text(json.dumps(figures))
    return 0


def compare(folder: Path, reference: Path, tolerance: float) -> dict[str, Any]:
    """Load the Hugging Face ``folder`` in fp32 and compare its logits with those in ``reference``.

    Raises:
        StageFailed: they differ by more than ``tolerance``, or aren't finite.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    expected = load_file(reference)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(expected["tokens"]).logits
    difference = (logits - expected["logits"]).abs().max().item()
    if not difference <= tolerance:  # a NaN fails too
        raise StageFailed(
            f"the exported model's logits differ from megatron's by {difference:.3g}, more than {tolerance:.3g}",
            where=folder,
            remedy="report it: the translation of the weights is wrong for this shape of model",
        )
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "vocab_size": logits.shape[-1],
        "logits_max_difference": difference,
        "logits_max": expected["logits"].abs().max().item(),
        "logits_compared": logits.numel(),
    }


def _write_config(brief: ExportBrief, described: dict[str, Any]) -> None:
    from transformers import GenerationConfig, LlamaConfig

    model, end = ModelSection.model_validate(described["model"]), described["end_of_document"]
    special = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    config = LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=described["vocab_size"],
        hidden_size=model.hidden,
        intermediate_size=model.ffn,
        num_hidden_layers=model.layers,
        num_attention_heads=model.heads,
        num_key_value_heads=model.kv_heads,
        head_dim=model.hidden // model.heads,
        max_position_embeddings=model.sequence,
        rms_norm_eps=model.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": model.rope_base},
        tie_word_embeddings=model.tie_embeddings,
        attention_bias=False,
        mlp_bias=False,
        dtype="bfloat16" if described["precision"] == "bf16" else "float32",
        **special,
    )
    config.save_pretrained(brief.out)
    GenerationConfig(**special).save_pretrained(brief.out)


def _write_tokenizer(brief: ExportBrief, described: dict[str, Any]) -> None:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(
        tokenizer_file=brief.tokenizer,
        bos_token=END_OF_DOCUMENT,
        eos_token=END_OF_DOCUMENT,
        pad_token=END_OF_DOCUMENT,
        model_max_length=described["model"]["sequence"],
        clean_up_tokenization_spaces=False,
    ).save_pretrained(brief.out)


if __name__ == "__main__":
    lifeline.hold_on()
    stop.die()
    from hominis.train.process import guarded

    sys.exit(guarded(lambda: finish(Path(sys.argv[1]))))
