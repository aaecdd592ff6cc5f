"""The peak that MFU is measured against, by what torch calls a device."""

import pytest

from hominis.train.devices import peak_flops


@pytest.mark.parametrize(
    ("name", "teraflops"),
    [
        ("NVIDIA A100-SXM-64GB", 312),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("a100-64gb", 312),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756.5),
        ("NVIDIA H100 NVL", 835.5),
        ("NVIDIA GH200 480GB", 989.4),
        ("NVIDIA L40S", 362),
        ("NVIDIA L4", 121),
    ],
)
def test_a_device_has_the_peak_of_its_data_sheet(name: str, teraflops: float) -> None:
    assert peak_flops(name) == teraflops * 1e12


@pytest.mark.parametrize("name", ["cpu", "NVIDIA RTX 1000", "Tesla V100-SXM2-32GB", ""])
def test_of_a_device_without_a_stated_peak_nothing_is_claimed(name: str) -> None:
    assert peak_flops(name) is None
