"""Pretend power meters: fills each node's `pm_counters`, as HPE-Cray nodes have them, with energy that grows.

`python meter.py FOLDER PID_FILE WATTS NODE…` runs until it is ended.
"""

import os
import sys
import time
from pathlib import Path


def main(folder: str, pid_file: str, watts: str, *nodes: str) -> None:
    """Write joules and watts twice a second."""
    counters = [Path(folder, node, "pm_counters") for node in nodes]
    for counter in counters:
        counter.mkdir(parents=True, exist_ok=True)
        (counter / "power").write_text(f"{watts:0>10} W 0 us\n")
    begun = time.time()
    for _ in iter(int, 1):
        for counter in counters:
            with os.fdopen(os.open(counter / "energy", os.O_CREAT | os.O_WRONLY), "w") as file:
                file.write(f"{int((time.time() - begun) * float(watts)):020} J 0 us\n")
        Path(pid_file).write_text(str(os.getpid()))
        time.sleep(0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
