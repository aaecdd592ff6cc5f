"""Training samples: megatron's blended GPT dataset over the tokenised corpora, cut to the data-parallel rank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from megatron.core import parallel_state
from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig

from hominis.train.brief import Brief
from hominis.train.schedule import consumed
from hominis.train.tally import Tally

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class _Vocabulary:
    """What the dataset asks of a tokenizer."""

    vocab_size: int
    eod: int

    @property
    def pad(self) -> int:
        """Never read: samples are cut from running text."""
        return self.eod

    @property
    def unique_identifiers(self) -> dict[str, Any]:
        """Part of the index's name."""
        return {"vocab_size": self.vocab_size, "eod": self.eod}


def build_datasets(brief: Brief) -> tuple[Any, Any]:
    """Return the training and the held-out dataset (None without one); their order depends on the seed alone.

    A sample is a dict with ``tokens``, ``labels``, ``loss_mask`` and ``position_ids``, each ``[sequence]``.
    """
    section = brief.section
    train = ([source.train for source in brief.sources], [source.share for source in brief.sources])
    held = [source for source in brief.sources if source.heldout]
    wanted = section.validation_samples if held else 0
    heldout = ([source.heldout for source in held], [source.share for source in held]) if wanted else None
    config = GPTDatasetConfig(
        random_seed=section.seed,
        sequence_length=section.model.sequence,
        blend_per_split=[train, heldout, None],
        tokenizer=_Vocabulary(brief.vocab_size, brief.end_of_document),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        create_attention_mask=False,
        path_to_cache=str(brief.cache),
    )
    sizes = [brief.samples or consumed(section, section.steps), wanted, 0]
    datasets = BlendedMegatronDatasetBuilder(GPTDataset, sizes, lambda: True, config).build()
    return datasets[0], datasets[1]


def micro_batches(dataset: Any, brief: Brief, places: Iterable[range], tally: Tally | None = None) -> Iterator[Batch]:
    """Yield this rank's micro-batches, each tensor ``[micro_batch, sequence]``, of the samples at each of ``places``.

    Sample i of a step is the same whatever the layout: where a checkpoint stands is one number, the samples consumed.
    ``tally`` notes those that were yielded.
    """
    size = brief.section.micro_batch
    ranks, rank = parallel_state.get_data_parallel_world_size(), parallel_state.get_data_parallel_rank()
    for span in places:
        for first in range(span.start + rank * size, span.stop, size * ranks):
            samples = {index: dataset[index] for index in range(first, first + size)}
            if tally:
                tally.add(samples)
            yield collate(list(samples.values()))


def collate(samples: list[dict[str, torch.Tensor]]) -> Batch:
    """Return the samples as one batch on this rank's device."""
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    names = ("tokens", "labels", "loss_mask", "position_ids")
    return {name: torch.stack([sample[name] for sample in samples]).to(device) for name in names}
