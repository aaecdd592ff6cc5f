"""The constants of the speed model: few, each with a meaning, fitted on published runs.

The runs are in ``workflow/tables/runs.csv``; ``benchmarks/plan.py`` prints how far each is off.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Constants:
    """What the arithmetic can't know.

    Attributes:
        matmul: share of the peak that large matrix products reach, by GPU architecture and precision; what keeps them
            from the peak is power: clocks fall.
        attention: share of the bf16 peak that fused attention reaches, counting the lower half of the matrix. The A100
            runs with long sequences were made with the first FlashAttention (2022): the second does better.
        memory: share of the memory's bandwidth that element-wise kernels reach.
        links: share of a link's bandwidth that collectives reach.
        exposed: share of tensor-parallel communication that no computation hides.
        overlap: share of a backward pass behind which gradients can travel.
        latency: seconds to start a collective; ``launch``: seconds to start a kernel.
        campaign: share of its GPU-hours that a whole run trains at the speed of a benchmark; the rest are restarts,
            checkpoints, evaluations, slow nodes, and software that is tuned less than a benchmark's.
        rates: measured over computed speed of published benchmarks, 10th and 90th percentile.
        campaigns: the same of whole runs' GPU-hours.
    """

    matmul: dict[str, float]
    attention: dict[str, float]
    memory: float = 0.7
    links: float = 0.75
    exposed: float = 0.5
    overlap: float = 0.8
    latency: float = 20e-6
    launch: float = 5e-6
    campaign: float = 0.75
    rates: tuple[float, float] = (0.88, 1.1)
    campaigns: tuple[float, float] = (0.85, 1.28)

    def share(self, architecture: str, precision: str) -> float:
        """Return the share of the peak that large matrix products reach."""
        return self.matmul.get(f"{architecture}-{precision}", self.matmul[architecture])


FITTED = Constants(
    matmul={"ampere": 0.78, "hopper": 0.625, "hopper-fp8": 0.76},
    attention={"ampere": 0.35, "hopper": 0.42},
)
