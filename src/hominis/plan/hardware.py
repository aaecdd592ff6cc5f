"""GPUs and the nodes that they sit in, as their makers and their sites describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hominis.errors import ConfigError
from hominis.train.devices import peak_flops

GIB = 2**30
GB = 1e9
TERA = 1e12


@dataclass(frozen=True)
class Gpu:
    """A GPU in its usual node.

    Attributes:
        memory_gb: what a program can use, in 10⁹ bytes; ``bandwidth``: of that memory, bytes/s.
        peak: dense matrix products, operations/s, by precision (without sparsity).
        nvlink: bytes/s to the other GPUs of the node, one direction; ``network``: a GPU's share of its node's.
        watts: the board's limit; ``host_watts``: a GPU's share of the rest of its node under load.
    """

    name: str
    architecture: Literal["ampere", "hopper"]
    memory_gb: float
    bandwidth: float
    peak: dict[str, float]
    nvlink: float
    network: float
    per_node: int
    watts: float
    host_watts: float

    @property
    def memory(self) -> float:
        """Bytes that a program can use."""
        return self.memory_gb * GB


def _half(name: str) -> float:
    """Return the peak in bf16, against which the trainer states its MFU, too."""
    stated = peak_flops(name)
    assert stated is not None, f"no peak is stated for {name}"
    return stated


def _ampere(name: str, memory_gib: float, bandwidth: float, watts: float = 400, **changes: float) -> Gpu:
    """A100 (NVIDIA, "A100 Tensor Core GPU" data sheet): 312 TFLOP/s bf16, NVLink 600 GB/s both directions.

    DGX A100 (user guide): 8 GPUs, 8 × HDR 200 Gb/s, at most 6.5 kW: 412 W a GPU beside the GPUs' own 400; under
    training load about half of that.
    """
    half = _half(name)
    peak = {"fp32": 19.5e12, "fp16": half, "bf16": half}
    per_node = int(changes.get("per_node", 8))
    network, host = changes.get("network", 25e9), changes.get("host_watts", 200)
    return Gpu(name, "ampere", memory_gib * GIB / GB, bandwidth, peak, 300e9, network, per_node, watts, host)


def _hopper(name: str, memory_gib: float, bandwidth: float) -> Gpu:
    """H100 and H200 SXM (NVIDIA's data sheets, without sparsity): 989 TFLOP/s bf16, 1979 fp8, NVLink 900 GB/s.

    DGX H100 (user guide): 8 GPUs, 8 × NDR 400 Gb/s, at most 10.2 kW: 575 W a GPU beside its own 700; half under load.
    """
    half = _half(name)
    peak = {"fp32": 67e12, "fp16": half, "bf16": half, "fp8": 1978.9e12}
    return Gpu(name, "hopper", memory_gib * GIB / GB, bandwidth, peak, 450e9, 50e9, 8, 700, 290)


_KNOWN = (
    _ampere("a100-40gb", 39.5, 1555e9),
    # Leonardo Booster: custom A100 64 GB HBM2e, 1,638 GB/s, 4 a node with all-to-all NVLink 3, 2 × dual-port HDR100,
    # 440 W (Turisini et al., arXiv:2307.16885). TOP500: 7,494 kW for 3,456 nodes under HPL, 2.17 kW a node.
    # Its 124 SMs would give 358 TFLOP/s at the A100's clock; the site states 312 and so do we.
    _ampere("a100-64gb", 63.4, 1638e9, 440, per_node=4, network=12.5e9, host_watts=130),
    _ampere("a100-80gb", 79.2, 2039e9),
    _hopper("h100-80gb", 79.2, 3350e9),
    _hopper("h200-141gb", 139.8, 4800e9),
)
GPUS = {gpu.name: gpu for gpu in _KNOWN}
ALIASES = {"h200": "h200-141gb", "h100": "h100-80gb", "a100": "a100-80gb"}


def gpu(name: str) -> Gpu:
    """Return a GPU by name.

    Raises:
        ConfigError: it isn't known.
    """
    found = GPUS.get(ALIASES.get(name.lower(), name.lower()))
    if found is None:
        raise ConfigError(f"no GPU {name!r} is known", where="--gpu or plan.gpu", remedy=f"one of {', '.join(GPUS)}")
    return found
