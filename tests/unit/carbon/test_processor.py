from pathlib import Path

import pytest

from hominis.carbon.processor import Processor, design_power, power_table, read_processor, watts_per_thread

CPUINFO = """processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz
physical id\t: 0
flags\t\t: fpu sse2{}

processor\t: 1
model name\t: Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz
physical id\t: 1
flags\t\t: fpu sse2{}
"""


@pytest.mark.parametrize(
    ("model", "watts"),
    [
        ("Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz", 250),
        ("AMD EPYC 7742 64-Core Processor", 225),
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", 15),
        ("Intel(R) Xeon(R) Processor", None),
        ("", None),
    ],
)
def test_a_model_is_found_by_all_words_of_its_row(model: str, watts: float | None):
    assert design_power(model, power_table()) == watts


def test_the_longest_row_wins():
    table = {"Intel Xeon E5-2680": 130.0, "Intel Xeon E5-2680 v4": 120.0}
    assert design_power("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", table) == 120


def test_cpuinfo_tells_model_sockets_and_guests(tmp_path: Path):
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO.format("", ""))
    host = read_processor(path)
    assert (host.model.startswith("Intel(R) Xeon(R) Platinum 8358"), host.sockets, host.guest) == (True, 2, False)
    path.write_text(CPUINFO.format(" hypervisor", " hypervisor"))
    assert read_processor(path).guest


def test_an_unreadable_cpuinfo_is_an_unknown_model(tmp_path: Path):
    assert read_processor(tmp_path / "none").model == ""


def test_design_power_is_spread_over_the_threads_of_all_sockets():
    host = Processor("Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz", sockets=2, threads=128, guest=False)
    watts, how = watts_per_thread(host, power_table())
    assert watts == pytest.approx(250 * 2 / 128)
    assert "design power 250 W" in how


def test_a_guest_is_charged_the_default_and_not_its_hosts_package():
    guest = Processor("Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz", sockets=1, threads=2, guest=True)
    watts, how = watts_per_thread(guest, power_table())
    assert watts == 4
    assert "guest" in how
