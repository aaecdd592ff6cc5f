"""What is to be trained on what, and how it is split: what memory and speed are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hominis.config.train import LayoutSection, PretrainSection
from hominis.plan.hardware import Gpu
from hominis.plan.shapes import Precision, Shape

Recompute = Literal["none", "selective", "full"]


@dataclass(frozen=True)
class Training:
    """A shape on a number of GPUs.

    Attributes:
        batch: sequences of an optimiser step.
        flash: attention keeps no matrix of sequence x sequence (arXiv:2205.14135).
        fused: norms and gate are fused kernels, as on a GPU; torch's own on a CPU keep more for the backward pass.
        lean: fp8 as NeMo's recipes have it: matrices kept in fp8 only, gradients added up in bf16. This trainer keeps
            bf16 weights and adds up in fp32.
    """

    shape: Shape
    gpu: Gpu
    gpus: int
    batch: int
    precision: Precision = "bf16"
    flash: bool = True
    fused: bool = True
    lean: bool = False


@dataclass(frozen=True)
class Layout:
    """How a model is split over ranks (see ``LayoutSection``), and what a rank takes in at a time."""

    tp: int = 1
    pp: int = 1
    vp: int = 1
    cp: int = 1
    ep: int = 1
    dp: int = 1
    micro_batch: int = 1
    recompute: Recompute = "none"
    sequence_parallel: bool = False
    distributed_optimizer: bool = True

    @classmethod
    def of(cls, section: PretrainSection) -> Layout:
        """Return the layout that a config's section describes."""
        names = LayoutSection.model_fields
        split = {name: getattr(section.layout, name) for name in names}
        split["distributed_optimizer"] = section.layout.shares_optimiser
        return cls(micro_batch=section.micro_batch, recompute=section.recompute, **split)

    @property
    def world(self) -> int:
        """Number of ranks."""
        return self.tp * self.pp * self.cp * self.dp

    @property
    def shards(self) -> int:
        """Ranks that share out the optimiser's state of a weight that isn't an expert's."""
        return self.dp * self.cp if self.distributed_optimizer else 1

    def micro_batches(self, batch: int) -> int:
        """Return the forward passes of a rank in a step."""
        return max(batch // (self.dp * self.micro_batch), 1)

    def tokens(self, shape: Shape) -> float:
        """Return the tokens that a rank holds of a micro-batch, before tensor parallelism."""
        return self.micro_batch * shape.sequence / self.cp

    def text(self) -> str:
        """Return the layout in a few words: what isn't one or off."""
        sizes = [f"{name}{getattr(self, name)}" for name in ("tp", "pp", "vp", "cp", "ep", "dp")]
        said = [size for size in sizes if size[2:] != "1"]
        said += [f"micro-batch {self.micro_batch}"]
        said += [f"recompute {self.recompute}"] if self.recompute != "none" else []
        return " ".join(said)
