"""The most that a device can compute: what MFU is measured against. Torch only where one is looked at."""

from __future__ import annotations

import functools
import re
from typing import Any

PEAKS = (
    ("GH200", 989.4e12, "NVIDIA GH200 data sheet, 2024"),
    ("H200", 989.4e12, "NVIDIA H200 data sheet, 2024"),
    ("H100 NVL", 835.5e12, "NVIDIA H100 NVL product brief, 2024"),
    ("H100 PCIe", 756.5e12, "NVIDIA H100 data sheet, 2023"),
    ("H100", 989.4e12, "NVIDIA H100 data sheet, 2023 (SXM)"),
    ("B200", 2250e12, "NVIDIA HGX B200 data sheet, 2024"),
    ("A100", 312e12, "NVIDIA A100 data sheet, 2020; its 108 multiprocessors, though Leonardo's A100-64GB has 124"),
    ("A30", 165e12, "NVIDIA A30 data sheet, 2021"),
    ("A40", 149.7e12, "NVIDIA A40 data sheet, 2021"),
    ("A10", 125e12, "NVIDIA A10 data sheet, 2021"),
    ("L40S", 362e12, "NVIDIA L40S data sheet, 2023"),
    ("L4", 121e12, "NVIDIA L4 data sheet, 2023"),
)
"""Words of a device's name; its bf16 FLOP/s (tensor cores, no sparsity); where that is said. The first match counts."""


def peak_flops(name: str) -> float | None:
    """Return the dense bf16 FLOP/s of the device that torch calls ``name``; None where nothing is stated.

    This is the measure whatever precision is trained in, so that MFUs compare.
    """
    words = set(re.split(r"[\s-]+", name.upper()))
    return next((peak for device, peak, _ in PEAKS if words.issuperset(device.upper().split())), None)


def this_device() -> str:
    """Return the name of the device that this rank computes on, as torch has it; ``cpu`` without a GPU."""
    import torch

    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"


def memory_bytes() -> int:
    """Return the most memory that tensors had on this rank's GPU, or what this process has now on the CPU."""
    import torch

    return int(torch.cuda.max_memory_allocated() if torch.cuda.is_available() else _myself().memory_info().rss)


@functools.cache
def _myself() -> Any:
    import psutil

    return psutil.Process()  # to make one reads several files
