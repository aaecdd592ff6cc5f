"""``hominis plan``: before anything is submitted: does it fit, how long, what does it cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hominis.cli.common import config_option, json_option

SIZES = {
    "params-b": (float, "billions of parameters; tells what is left out of the shape"),
    "layers": (int, ""),
    "hidden": (int, ""),
    "heads": (int, ""),
    "kv-heads": (int, "key and value heads"),
    "ffn": (int, "width of a feed-forward, of each expert's"),
    "vocab": (int, "tokens of the vocabulary  [32000]"),
    "seq": (int, "tokens of a sequence  [4096]"),
    "experts": (int, "feed-forwards of a layer that a router chooses among"),
    "experts-per-token": (int, "how many of them see a token  [2]"),
}
RUN = {
    "tokens-b": (float, "billions of tokens to train on  [20 a parameter]"),
    "gpus": (int, "GPUs  [the fewest that end in 30 days]"),
    "global-batch": (int, "sequences of a step  [about 4 million tokens]"),
}
SPLITS = {
    "tp": (int, "tensor parallel"),
    "pp": (int, "pipeline parallel"),
    "vp": (int, "pieces of the model a pipeline rank holds"),
    "cp": (int, "context parallel"),
    "ep": (int, "expert parallel"),
    "micro-batch": (int, "sequences of a forward pass"),
}
FACTORS = {"pue": (float, "energy of the building by that of the machines"), "intensity": (float, "kg CO2e per kWh")}


@click.group("plan", invoke_without_command=True, short_help="Say before submission what a run takes and costs.")
@config_option("path")
@json_option
@click.pass_context
def command(context: click.Context, path: Path, as_json: bool) -> None:
    """Say before anything is submitted whether a run fits, how long it takes and what it costs.

    Exits 1 if the run should not start so: its layout doesn't fit, its data or its budget don't last.

    \b
    Examples:
      hominis plan -c workflow/config/core-13b.yaml
      hominis plan -c my-run.yaml --json
      hominis plan estimate --params-b 13 --gpus 256 --tokens-b 300
    """
    if context.invoked_subcommand is None:
        context.exit(_of_run(path, as_json))


def _of_run(path: Path, as_json: bool) -> int:
    from hominis.cli.foresee import foresee
    from hominis.config.run import load
    from hominis.plan.document import document
    from hominis.plan.page import page

    plan = foresee(load(path))
    click.echo(json.dumps(document(plan), indent=1) if as_json else page(plan))
    return int(bool(plan.problems))


def _numbers(options: dict[str, tuple[Any, str]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def added(function: Callable[..., Any]) -> Callable[..., Any]:
        for name, (kind, text) in reversed(options.items()):
            least = click.IntRange(min=1) if kind is int else click.FloatRange(min=0, min_open=True)
            function = click.option(f"--{name}", type=least, help=text)(function)
        return function

    return added


@command.command("estimate", short_help="Estimate one shape, given by its numbers.")
@_numbers(SIZES)
@click.option("--gated/--no-gated", default=None, help="A gate beside up and down (SwiGLU).")
@click.option("--tied/--no-tied", default=None, help="One table for embedding and output.")
@_numbers(RUN)
@click.option(
    "--gpu", default="a100-64gb", show_default=True, help="a100-40gb, a100-64gb, a100-80gb, h100-80gb, h200-141gb"
)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "bf16", "fp8"]), default="bf16", show_default=True)
@click.option("--fused/--unfused", "fused", default=None, help="Attention; fp16 without it is as Megatron-LM in 2021.")
@_numbers(SPLITS)
@click.option("--recompute", type=click.Choice(["none", "selective", "full"]), help="Activations computed again.")
@_numbers(FACTORS)
@json_option
def estimate(as_json: bool, **given: Any) -> None:
    """Estimate the training of one shape; what is left out, the planner chooses.

    \b
    Examples:
      hominis plan estimate --params-b 13 --gpu a100-64gb --gpus 256 --tokens-b 300
      hominis plan estimate --params-b 70 --kv-heads 8 --gpu h100-80gb --precision fp8 --json
    """
    from hominis.plan.answered import document, table
    from hominis.plan.asked import answer

    made = answer(_asked(given))
    click.echo(json.dumps(document(made), indent=2) if as_json else table(made))


def _asked(given: dict[str, Any]) -> Any:
    from hominis.config.carbon import Factor
    from hominis.plan.asked import Asked
    from hominis.plan.layouts import Fixed
    from hominis.plan.wanted import Wanted

    said = {name: value for name, value in given.items() if value is not None}
    sizes = [*SIZES, "gated", "tied"]
    splits = [*SPLITS, "recompute"]
    rest: dict[str, Any] = {
        name: said[name] for name in ("gpu", "gpus", "tokens_b", "precision", "fused") if name in said
    }
    if "global_batch" in said:
        rest["batch"] = said["global_batch"]
    for name in FACTORS:
        if name in said:
            rest[name] = Factor(value=said[name], low=said[name], high=said[name], source="the command line")
    return Asked(wanted=Wanted(**_of(said, sizes)), fixed=Fixed(**_of(said, splits)), **rest)


def _of(said: dict[str, Any], options: list[str]) -> dict[str, Any]:
    names = [option.replace("-", "_") for option in options]
    return {name: said[name] for name in names if name in said}
