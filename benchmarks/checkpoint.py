"""How long a checkpoint holds training up, written in the background and at once, interleaved in one run.

    python -m benchmarks.checkpoint [--times 6] [--layout '{"dp": 2, "distributed_optimizer": true}']

Real ranks on this machine train a model of 7 M parameters on random tokens. A stall is the time between two steps in
which no rank may train; written in the background, what the steps beside it take longer is counted apart.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hominis.train.blend import Source
    from hominis.train.brief import Brief
    from hominis.train.state import State

INTERVAL = 50
"""Steps between two checkpoints, as is the default."""
APART = 3
"""Steps between two saves here."""
SECTION = {
    "model": {"layers": 4, "hidden": 256, "heads": 8, "kv_heads": 4, "ffn": 704, "sequence": 256},
    "blend": {"random": 1.0},
    "steps": 1000,
    "global_batch": 8,
    "micro_batch": 4,
    "keep_checkpoints": 1,
}
VOCABULARY = 8192


def main(times: int, layout: str) -> None:
    """Start the ranks and print what they measured."""
    from hominis.config.train import PretrainSection
    from hominis.train import launch
    from hominis.train.brief import Brief

    section = PretrainSection.model_validate({**SECTION, "layout": json.loads(layout)})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        brief = Brief(section, (tokens(folder),), VOCABULARY, 0, folder, folder)
        brief.write(folder / "brief.json")
        arguments = ["--rank", str(folder / "brief.json"), "--times", str(times)]
        ranks = launch.Launch("benchmarks.checkpoint", arguments, section.layout.world, 1, folder)
        launch.run(ranks, poll=lambda: None, stopping=lambda: False)
        report(json.loads((folder / "measured.json").read_text()))


def tokens(folder: Path) -> "Source":
    """Write random tokens and return them as a corpus."""
    import numpy as np

    from hominis.corpus.indexed import ShardWriter
    from hominis.train.blend import Source

    chance = np.random.default_rng(1)
    with ShardWriter(folder / "train", VOCABULARY) as shard:
        shard.add([chance.integers(0, VOCABULARY, 1000, dtype=np.int32) for _ in range(200)])
    return Source("random", str(folder / "train"), "", 1.0)


def report(seconds: Mapping[str, Any]) -> None:
    """Print medians and the shares of training time that a checkpoint costs."""
    step, at_once, background, beside = (
        statistics.median(seconds[name]) for name in ("step", "at once", "background", "beside")
    )
    slower = statistics.median(seconds["slower"])
    every = INTERVAL * step
    print(f"a step takes {step:.3f} s, beside a save {beside:.3f} s; {seconds['megabytes']:.0f} MB a checkpoint")
    print(f"written at once: training is held for {at_once:.3f} s, {at_once / every:.2%} of {INTERVAL} steps")
    print(
        f"in the background: held for {background:.3f} s, {background / every:.2%} of {INTERVAL} steps, "
        f"{background / at_once:.2f} of at once; steps beside it lose {slower:.3f} s more"
    )


def rank(path: Path, times: int) -> int:
    """Train and save by turns; the first rank writes down the seconds."""
    from hominis.train.brief import Brief
    from hominis.train.process import distributed

    brief = Brief.read(path)
    with distributed(brief.section.layout, 1, brief.section.seed):
        measure(brief, times)
    return 0


def measure(brief: "Brief", times: int) -> None:
    """Write the seconds of ``times`` saves of either kind."""
    import torch.distributed as dist

    from hominis.train import checkpoints
    from hominis.train.rolling import Rolling

    state, step = trainer(brief)
    rolling, metrics = Rolling(brief), brief.checkpoints / checkpoints.METRICS
    metrics.write_text("")
    seconds: dict[str, Any] = {"step": [], "at once": [], "background": [], "beside": [], "slower": []}
    for turn in range(2 * times + 2):
        kind = ("at once", "background")[turn % 2]
        plain = [timed(step) for _ in range(APART)]
        held = timed(lambda: rolling.begin(state, metrics, 0))
        beside = []
        while kind == "background" and any_rank(rolling.pending):
            beside.append(timed(step))
        held += timed(rolling.complete)
        if turn > 1:  # the first of either kind fill memory that the others use again
            seconds["step"] += plain
            seconds[kind].append(held)
            seconds["beside"] += beside
            seconds["slower"] += [sum(beside) - len(beside) * statistics.median(plain)] if beside else []
    if dist.get_rank() == 0:
        newest = brief.checkpoints / checkpoints.name(checkpoints.newest_step(brief.checkpoints))
        seconds["megabytes"] = sum(file.stat().st_size for file in newest.iterdir()) / 1e6
        (brief.out / "measured.json").write_text(json.dumps(seconds))


def trainer(brief: "Brief") -> tuple["State", Callable[[], object]]:
    """Return a rank's state and what does the next step."""
    from hominis.train.guard import Guard
    from hominis.train.loop import Tidings, next_step
    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.samples import build_datasets, micro_batches
    from hominis.train.schedule import span
    from hominis.train.state import State

    section = brief.section
    chunks = build_for_training(section, brief.vocab_size)
    state = State(chunks, build_optimiser(section, chunks))
    spans = (span(section, number) for number in range(1, section.steps))
    batches = micro_batches(build_datasets(brief)[0], brief, spans, state.samples)
    judge = Guard(section.guard, section.steps)
    return state, lambda: next_step(state, section, batches, judge, lambda: Tidings(0, 0, 0))


def any_rank(yes: bool) -> bool:
    """Return whether it is so on any rank."""
    import torch
    import torch.distributed as dist

    said = torch.tensor([yes], dtype=torch.int)
    dist.all_reduce(said, dist.ReduceOp.MAX)
    return bool(said)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes, of the slowest rank."""
    import torch.distributed as dist

    dist.barrier()
    begun = time.perf_counter()
    work()
    dist.barrier()
    return time.perf_counter() - begun


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=6)
    parser.add_argument("--layout", default='{"dp": 2, "distributed_optimizer": true}')
    parser.add_argument("--rank", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rank is None:
        main(given.times, given.layout)
    else:
        from hominis.train import lifeline, stop
        from hominis.train.process import guarded

        lifeline.hold_on()
        stop.listen()
        sys.exit(guarded(lambda: rank(given.rank, given.times)))
