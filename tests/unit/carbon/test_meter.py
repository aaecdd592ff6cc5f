import subprocess
import sys
import time
from pathlib import Path

import pytest

from hominis.carbon import meter
from hominis.carbon.sources import EstimatedMemory, EstimatedProcessor, Interval, MeasuredProcessor, share_of_processes

WATTS = 4.0
SPIN = "import time\nwhile time.process_time() < {}: pass\n"
GRANDCHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPIN.format(0.4)!r}])\n"
ORPHAN = f"""
import os, subprocess, sys, time
from hominis.carbon.tree import Tree
tree = Tree()
script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SPIN.format(0.4)!r} + 'time.sleep(60)'])"
subprocess.run([sys.executable, "-c", script])
end = time.monotonic() + 20
while tree.look().cpu_seconds < 0.4 and time.monotonic() < end:
    time.sleep(0.05)
use = tree.look()
for pid in use.pids - {{os.getpid()}}:
    os.kill(pid, 9)
print(use.cpu_seconds >= 0.4)
"""
QUIET = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError(event)
sys.addaudithook(refuse)
from hominis.carbon import meter
made = meter.start()
made.read()
"""


class Fixed(EstimatedProcessor):
    """A processor of known watts, whatever machine the test runs on."""

    def __init__(self) -> None:
        super().__init__()
        self._watts = WATTS


class Breaking(Fixed):
    def charge(self, interval: Interval) -> float:
        raise OSError("counter gone")


def run(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True)


def processor_meter() -> meter.Meter:
    return meter.Meter({"cpu": [Fixed]})


def test_an_ended_childs_cpu_time_is_charged():
    made = processor_meter()
    run(SPIN.format(0.4))
    assert made.read()["cpu_kwh"] >= 0.35 * WATTS / 3.6e6


def test_a_grandchild_is_charged_through_its_parent():
    made = processor_meter()
    run(GRANDCHILD)
    assert made.read()["cpu_kwh"] >= 0.35 * WATTS / 3.6e6


def test_a_living_child_is_charged_and_its_end_changes_nothing():
    made = processor_meter()
    with subprocess.Popen([sys.executable, "-c", SPIN.format(0.4) + "time.sleep(60)"]) as child:
        end = time.monotonic() + 20
        while made.read()["cpu_kwh"] < 0.35 * WATTS / 3.6e6 and time.monotonic() < end:
            time.sleep(0.02)
        alive = made.read()["cpu_kwh"]
        child.kill()
    assert 0.35 * WATTS / 3.6e6 <= alive <= made.read()["cpu_kwh"] < 2 * alive


def test_an_orphan_of_the_session_is_charged(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, start_new_session=True)
    assert done.stdout.strip() == "True", done.stderr


def test_a_sleeping_child_costs_less_than_a_busy_one():
    made = processor_meter()
    run("import time; time.sleep(0.4)")
    idle = made.read()["cpu_kwh"]
    run(SPIN.format(0.5))
    assert made.read()["cpu_kwh"] - idle > 2 * idle


def test_readings_never_fall_and_sum_up():
    made = meter.start()
    readings = []
    for _ in range(5):
        _ = sum(range(300_000))
        readings.append(made.read())
    energies = [reading["energy_kwh"] for reading in readings]
    assert energies == sorted(energies)
    last = readings[-1]
    assert last["energy_kwh"] == pytest.approx(last["cpu_kwh"] + last["ram_kwh"] + last["gpu_kwh"])


def test_the_method_says_what_is_measured_and_what_estimated():
    method = meter.start().read()["method"]
    assert "cpu measured" in method or "cpu estimated" in method
    assert "ram estimated" in method
    assert "gpu " in method


def test_a_meter_that_breaks_falls_back_and_says_so():
    made = meter.Meter({"cpu": [Breaking, Fixed]})
    run(SPIN.format(0.2))
    reading = made.read()
    assert reading["cpu_kwh"] > 0
    assert "cpu fell back (counter gone)" in reading["method"]


def test_a_meter_without_any_way_reads_nothing_and_says_so():
    made = meter.Meter({"cpu": [Breaking]})
    time.sleep(0.01)
    reading = made.read()
    assert reading["energy_kwh"] == 0
    assert "cpu none" in reading["method"]
    assert "counter gone" in reading["method"]


def test_starting_and_reading_writes_nothing_and_asks_no_network(tmp_path: Path):
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", QUIET], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def rapl(tmp_path: Path, microjoules: int) -> Path:
    package = tmp_path / "intel-rapl" / "intel-rapl:0"
    package.mkdir(parents=True, exist_ok=True)
    (package / "name").write_text("package-0\n")
    (package / "max_energy_range_uj").write_text("262143328850\n")
    (package / "energy_uj").write_text(f"{microjoules}\n")
    return tmp_path / "intel-rapl"


def test_a_measured_package_is_shared_by_busy_cpu_time(tmp_path: Path):
    source = MeasuredProcessor(str(rapl(tmp_path, 1_000_000)))
    run(SPIN.format(0.3))
    rapl(tmp_path, 1_000_000 + 3_600_000_000)
    part = source.charge(Interval(seconds=10, cpu_seconds=0.1, memory_bytes=0, pids=frozenset()))
    assert 0 < part < 0.001
    rapl(tmp_path, 1_000_000 + 7_200_000_000)
    whole = source.charge(Interval(seconds=10, cpu_seconds=1e6, memory_bytes=0, pids=frozenset()))
    assert whole == pytest.approx(0.001)


def test_a_package_counter_that_vanishes_is_trouble(tmp_path: Path):
    from hominis.carbon.sources import MeterError

    source = MeasuredProcessor(str(rapl(tmp_path, 5)))
    source._rapl._rapl_files.clear()
    with pytest.raises(MeterError):
        source.charge(Interval(1, 1, 0, frozenset()))


def test_without_counters_the_processor_cannot_be_measured(tmp_path: Path):
    from hominis.carbon.sources import MeterError

    with pytest.raises(MeterError):
        MeasuredProcessor(str(tmp_path))


def test_memory_is_charged_by_its_share_and_never_beyond_the_machine():
    source = EstimatedMemory()
    quarter, whole, more = (
        source.charge(Interval(3600, 0, source._total * share, frozenset())) for share in (0.25, 1, 3)
    )
    assert quarter == pytest.approx(whole / 4)
    assert more == whole > 0


def test_a_shared_gpu_is_charged_by_processes():
    import os

    mine, other = os.getpid(), os.getppid()
    assert share_of_processes([mine, other], frozenset({mine})) == 0.5
    assert share_of_processes([other], frozenset({mine})) == 0
    assert share_of_processes([], frozenset({mine})) == 0
    assert share_of_processes([2**22 + 1], frozenset({mine})) == 1
