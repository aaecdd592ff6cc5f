"""``hominis plan estimate``: one shape by its numbers, with ranges, as JSON and as a table."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hominis.cli.plan import command
from hominis.errors import ConfigError

LLAMA_13B = (
    "--params-b 13.0 --layers 40 --hidden 5120 --heads 40 --kv-heads 40 --ffn 13824 --vocab 32000 --seq 4096 "
    "--tokens-b 2000 --gpu a100-80gb --gpus 2048 --precision bf16 --global-batch 1024"
)
FIGURES = (
    "tokens_per_s_per_gpu tflops_per_gpu hardware_tflops_per_gpu mfu gpu_hours wall_hours memory_gb energy_kwh tco2e"
).split()


def asked(words: str) -> Result:
    return CliRunner().invoke(command, ["estimate", *words.split()])


def estimated(words: str) -> dict[str, Any]:
    done = asked(f"{words} --json")
    assert done.exit_code == 0, done.output
    made: dict[str, Any] = json.loads(done.output)
    return made


def refused(words: str) -> ConfigError:
    error = asked(words).exception
    assert isinstance(error, ConfigError), error
    return error


def test_every_figure_has_a_value_within_its_range() -> None:
    made = estimated(LLAMA_13B)
    for name in FIGURES:
        assert 0 < made[name]["low"] < made[name]["value"] < made[name]["high"], name
    assert made["fits"] == {"value": True, "low": True, "high": True}


def test_llama_2_13b_takes_the_gpu_hours_that_were_published() -> None:
    hours = estimated(LLAMA_13B)["gpu_hours"]
    assert hours["value"] == pytest.approx(368_640, rel=0.2)
    assert hours["low"] < 368_640 < hours["high"]


def test_the_figures_agree_with_each_other() -> None:
    made = {name: figure["value"] for name, figure in estimated(LLAMA_13B).items() if name in FIGURES}
    assert made["wall_hours"] == pytest.approx(made["gpu_hours"] / 2048)
    assert made["mfu"] == pytest.approx(made["tflops_per_gpu"] / 312)
    hours = 2e12 / made["tokens_per_s_per_gpu"] / 3600
    assert 0.6 < hours / made["gpu_hours"] < 1, "a whole run is slower than a benchmark"


def test_the_layout_that_is_asked_for_is_taken() -> None:
    made = estimated(f"{LLAMA_13B} --tp 4 --pp 2 --vp 5 --micro-batch 1 --recompute full")
    wanted = {"tp": 4, "pp": 2, "vp": 5, "dp": 256, "micro_batch": 1, "recompute": "full"}
    assert wanted.items() <= made["layout"].items()
    assert made["hardware_tflops_per_gpu"]["value"] > 1.2 * made["tflops_per_gpu"]["value"]


def test_others_are_ranked_and_refused_with_reasons() -> None:
    made = estimated(LLAMA_13B)
    assert made["ranked"][0]["step_seconds"] == made["step_seconds"]["total"]
    assert made["refused"]
    assert all(one["reason"] for one in made["refused"])


def test_a_size_and_a_gpu_are_enough() -> None:
    made = estimated("--params-b 13 --gpu a100-64gb")
    assert made["fits"]["value"]
    assert made["tokens"] == pytest.approx(20 * 13e9, rel=0.05)
    assert made["wall_hours"]["value"] <= 30 * 24
    assert any("20 a parameter" in note for note in made["notes"])


def test_what_fits_nowhere_is_said_not_to() -> None:
    made = estimated("--params-b 175 --gpu a100-64gb --gpus 8")
    assert not made["fits"]["value"]
    assert made["memory_gb"]["value"] > 68
    assert "DOES NOT FIT" in asked("--params-b 175 --gpu a100-64gb --gpus 8").output


def test_fp16_is_computed_as_it_was_trained_in_2021() -> None:
    old = "--params-b 145.6 --layers 80 --hidden 12288 --heads 96 --ffn 49152 --vocab 51200 --seq 2048 --gpu a100-80gb"
    made = estimated(f"{old} --precision fp16 --gpus 1536 --tp 8 --pp 8 --global-batch 2304")
    assert made["layout"]["recompute"] == "full"
    assert made["hardware_tflops_per_gpu"]["value"] == pytest.approx(148, rel=0.2)


def test_a_pipeline_that_does_not_divide_is_refused_with_the_nearest_that_do() -> None:
    error = refused("--params-b 13 --layers 40 --hidden 5120 --gpus 480 --global-batch 960 --pp 12 --tp 1")
    assert "model.layers 40 is not divisible by layout.pp · layout.vp 12" in error.problem
    assert "pp 8 or 10" in error.remedy


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--gpu a100-96gb", "no GPU 'a100-96gb' is known"),
        ("--params-b 13 --layers 80 --hidden 5120", "parameters, not 13.0"),
        ("--params-b 13 --gpu a100-80gb --precision fp8", "a100-80gb has no fp8"),
        ("--params-b 13 --layers 40 --hidden 5120 --tp 3", "model.heads 40 is not divisible by layout.tp 3"),
        ("--params-b 13 --gpus 4 --tp 8", "no layout has 4 ranks"),
        ("--params-b 13 --hidden 5120 --heads 39", "hidden 5120 is not divisible by heads 39"),
    ],
)
def test_what_cannot_be_is_refused(words: str, problem: str) -> None:
    assert problem in refused(words).problem


@pytest.mark.parametrize("words", ["--layers 0", "--tokens-b -1", "--precision int4"])
def test_impossible_numbers_are_bad_usage(words: str) -> None:
    assert asked(words).exit_code == 2


def test_stated_factors_replace_the_defaults() -> None:
    made = estimated(f"{LLAMA_13B} --pue 1.1 --intensity 0.385")
    for name in ("value", "low", "high"):
        assert made["tco2e"][name] == pytest.approx(made["energy_kwh"][name] * 1.1 * 0.385 / 1000)
    assert not any("intensity" in note for note in made["notes"])


def test_published_carbon_of_llama_2_13b_is_within_the_range() -> None:
    """62.44 t: 400 W a GPU and no host (arXiv:2307.09288, table 2)."""
    carbon = estimated(f"{LLAMA_13B} --pue 1.1 --intensity 0.385")["tco2e"]
    assert carbon["low"] < 62.44 < carbon["high"]


def test_the_table_says_what_the_json_says() -> None:
    text = asked(LLAMA_13B).output
    made = estimated(LLAMA_13B)
    assert f"{made['gpu_hours']['value']:,.0f}" in text
    assert "13.02 billion parameters (40 layers" in text


def test_it_needs_no_torch() -> None:
    words = ["estimate", *LLAMA_13B.split()]
    call = f"from hominis.cli.plan import command; command({words!r}, standalone_mode=False)"
    program = f"import sys; {call}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL).returncode == 0
