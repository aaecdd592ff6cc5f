"""Where joules are read or estimated: processor, memory, GPUs. Each charges a process tree with its share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import psutil
from codecarbon.core import gpu
from codecarbon.core.cpu import IntelRAPL, is_rapl_available
from codecarbon.core.units import Time
from codecarbon.external.hardware import GPU
from codecarbon.external.ram import RAM

from hominis.carbon import processor

JOULES_PER_KWH = 3.6e6
RAPL_DIR = "/sys/class/powercap/intel-rapl/subsystem"


class MeterError(Exception):
    """A meter that worked has stopped answering."""


@dataclass(frozen=True)
class Interval:
    """What the process tree used between two readings.

    Attributes:
        memory_bytes: mean of the two readings.
        pids: processes alive at the later one.
    """

    seconds: float
    cpu_seconds: float
    memory_bytes: float
    pids: frozenset[int]


class Source(Protocol):
    """One thing that draws power."""

    method: str

    def charge(self, interval: Interval) -> float:
        """Return the kWh that the process tree is charged with for the time since the last call.

        Raises:
            Exception: any, when the meter can't be read: the caller falls back.
        """


class EstimatedProcessor:
    """CPU-seconds of the tree x watts of a busy logical CPU. An idle tree is charged nothing."""

    def __init__(self) -> None:
        self._watts, how = processor.watts_per_thread(processor.read_processor(), processor.power_table())
        self.method = f"cpu estimated: CPU-seconds of the process tree x {how}"

    def charge(self, interval: Interval) -> float:
        """Return kWh."""
        return self._watts * interval.cpu_seconds / JOULES_PER_KWH


class MeasuredProcessor:
    """Energy of the CPU packages (RAPL) x the tree's share of all CPU time that was busy on the machine meanwhile.

    The packages' idle power goes with the busy time, so the shares of all processes add up to what was measured.
    """

    def __init__(self, rapl_dir: str = RAPL_DIR) -> None:
        if not is_rapl_available(rapl_dir):
            raise MeterError("no readable RAPL counter")
        self._rapl = IntelRAPL(rapl_dir=rapl_dir)
        self._rapl.start()
        self._busy = _busy_seconds()
        self.method = "cpu measured: RAPL package energy x share of the machine's busy CPU time"

    def charge(self, interval: Interval) -> float:
        """Return kWh."""
        details = self._rapl.get_cpu_details(Time.from_seconds(interval.seconds))
        energies = [float(kwh) for name, kwh in details.items() if "Energy" in name]
        if not energies:
            raise MeterError("RAPL counters vanished")
        before, self._busy = self._busy, _busy_seconds()
        # Two clocks that tick in hundredths: a tree can seem busier than its machine.
        return sum(energies) * interval.cpu_seconds / max(self._busy - before, interval.cpu_seconds, 1e-9)


class EstimatedMemory:
    """codecarbon's watts for all memory modules of the machine x the tree's share of the memory."""

    def __init__(self) -> None:
        self._total: int = psutil.virtual_memory().total
        model = RAM(tracking_mode="machine")
        model.memory_size = self._total / 2**30  # else it asks Slurm for the job's part of the memory
        self._watts = float(model.total_power().W)
        self.method = f"ram estimated: {self._watts:.3g} W for {self._total / 2**30:.0f} GiB x share in use"

    def charge(self, interval: Interval) -> float:
        """Return kWh."""
        return self._watts * min(1.0, interval.memory_bytes / self._total) * interval.seconds / JOULES_PER_KWH


class MeasuredGpus:
    """Energy counters of the NVIDIA GPUs (NVML).

    GPUs reserved for us (in a Slurm job, or named by CUDA_VISIBLE_DEVICES) are charged whole, idle or not; others by
    our share of the compute processes on them. Where NVML lists processes that don't exist here (a container's), the
    GPU is taken to be ours.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        if not gpu.is_gpu_details_available():
            raise MeterError("no NVIDIA GPU")
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        hardware = GPU.from_utils(None if visible is None else [name for name in visible.split(",") if name])
        self._ids = hardware.gpu_ids
        if not self._ids:
            raise MeterError("no visible NVIDIA GPU")
        self._devices = hardware.devices
        self._devices.start()
        self._reserved = visible is not None or "SLURM_JOB_ID" in environment
        share = "whole, reserved" if self._reserved else "by share of compute processes"
        self.method = f"gpu measured: NVML, {len(self._ids)} charged {share}"

    def charge(self, interval: Interval) -> float:
        """Return kWh."""
        deltas: dict[int, Any] = {
            d["gpu_index"]: d for d in self._devices.get_delta(Time.from_seconds(interval.seconds))
        }
        missing = [index for index in self._ids if index not in deltas]
        if missing:
            raise MeterError(f"GPUs {missing} stopped answering")
        return sum(float(deltas[i]["delta_energy_consumption"].kWh) * self._share(i, interval.pids) for i in self._ids)

    def _share(self, index: int, ours: frozenset[int]) -> float:
        if self._reserved:
            return 1.0
        device = next(device for device in self._devices.devices if device.gpu_index == index)
        return share_of_processes([p["pid"] for p in device.get_gpu_details()["compute_processes"]], ours)


def share_of_processes(listed: list[int], ours: frozenset[int]) -> float:
    """Return our share of a GPU on which the processes ``listed`` compute."""
    if listed and not any(psutil.pid_exists(pid) for pid in listed):
        return 1.0
    return sum(pid in ours for pid in listed) / max(len(listed), 1)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    idle: float = times.idle + getattr(times, "iowait", 0.0)
    # On Linux user and nice already hold the guests' time.
    busy: float = sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return busy
