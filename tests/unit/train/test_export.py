"""The exported folder is the trained model: same logits, same tokens, and a wrong weight is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hominis.config.train import ExportSection
from hominis.errors import StageFailed
from hominis.store.types import Inputs, Part, Summary
from hominis.train import alone, export, figures
from tests.unit.train.conftest import VOCABULARY, Folder, Run, artefact, contents, section, train


def run(trained: Run, inputs: Inputs, root: Path, section: ExportSection | None = None) -> tuple[Folder, Summary]:
    folder = Folder(root)
    upstream = {"pretrain": [artefact(trained.folder.out, "pretrain", "all")], "vocabulary": inputs["vocabulary"]}
    return folder, export.work(section or ExportSection(), upstream, Part("all"), folder)


@pytest.fixture(scope="module")
def exported(two_ranks: Run, inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Summary]:
    """The model trained on two tensor-parallel ranks."""
    return run(two_ranks, inputs, tmp_path_factory.mktemp("exported"))


def test_the_logits_are_those_of_megatron(exported: tuple[Folder, Summary]) -> None:
    _, summary = exported
    assert summary["logits_max_difference"] <= 1e-4
    assert summary["logits_max"] > 0.5  # there is something to compare
    assert summary["logits_compared"] == 2 * 32 * VOCABULARY


def test_the_vocabulary_has_its_true_size(exported: tuple[Folder, Summary], two_ranks: Run) -> None:
    folder, summary = exported
    assert summary["vocab_size"] == VOCABULARY == json.loads((folder.out / "config.json").read_text())["vocab_size"]
    assert summary["parameters"] == figures.parameters(two_ranks.settings.model, VOCABULARY)


def test_one_wrong_weight_fails_the_stage(exported: tuple[Folder, Summary], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder, _ = exported
    shutil.copytree(folder.out, tmp_path / "out")
    file = tmp_path / "out" / "model.safetensors"
    weights = load_file(file)
    weights["model.layers.1.self_attn.v_proj.weight"][3] *= 1.5
    save_file(weights, file, metadata={"format": "pt"})
    reference = folder.checkpoints / "reference.safetensors"
    with pytest.raises(StageFailed, match="logits differ from megatron's by"):
        alone.compare(tmp_path / "out", reference, Folder(tmp_path / "again"), tolerance=1e-4, threads=1)


def test_the_tokenizer_gives_the_same_tokens(exported: tuple[Folder, Summary], inputs: Inputs) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    trained = Tokenizer.from_file(str(inputs["vocabulary"][0].path / "tokenizer.json"))
    loaded = AutoTokenizer.from_pretrained(exported[0].out)
    text = "def è(x):\n    return  x<|endoftext|>日本"
    assert loaded(text).input_ids == trained.encode(text).ids
    assert loaded.decode(loaded(text).input_ids) == text
    assert {loaded.eos_token_id, loaded.bos_token_id, loaded.pad_token_id} == {0}


def test_a_second_export_gives_the_same_bytes(
    exported: tuple[Folder, Summary], two_ranks: Run, inputs: Inputs, tmp_path: Path
) -> None:
    folder, summary = run(two_ranks, inputs, tmp_path)
    assert summary == exported[1]
    assert contents(folder.out) == contents(exported[0].out)


def test_an_export_of_a_run_with_a_decay_reads_that_alone() -> None:
    made = {name: [artefact(Path(name), name, "all")] for name in ("pretrain", "decay", "vocabulary")}
    (part,) = export.parts(ExportSection(), made)
    assert part.inputs == {"pretrain": []}
    (part,) = export.parts(ExportSection(), {name: made[name] for name in ("pretrain", "vocabulary")})
    assert part.inputs == {}


def test_experts_trained_on_several_ranks_are_exported_as_a_mixtral(inputs: Inputs, tmp_path: Path) -> None:
    model = {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32, "experts": 4}
    settings = section(model=model, layout={"dp": 2, "ep": 2}, steps=6, keep_every=0)
    trained = Folder(tmp_path / "trained")
    made = Run(trained, train(settings, inputs, trained), settings)
    folder, summary = run(made, inputs, tmp_path / "exported")
    assert summary["logits_max_difference"] <= 1e-4
    assert summary["logits_max"] > 0.1
    assert json.loads((folder.out / "config.json").read_text())["architectures"] == ["MixtralForCausalLM"]
    assert summary["parameters"] == figures.parameters(settings.model, VOCABULARY)
