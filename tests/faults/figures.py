"""What the fault tests measured: `python -m tests.faults.figures FILE` prints the lines they left there as a table."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

FULL = os.environ.get("HOMINIS_FAULTS") == "full"
"""Whether the tests run at their full length (`make faults`) or as short as CI needs."""


def note(id, what, n, **figures):
    """Leave a line for the table, and print it: the fault's id, what it is, how often it landed, what was counted."""
    line = json.dumps({"id": id, "what": what, "n": n, **figures})
    print(line)
    if path := os.environ.get("HOMINIS_FAULTS_TABLE"):
        with Path(path).open("a") as file:
            file.write(line + "\n")


def table(text):
    """Return the table in Markdown."""
    rows = [json.loads(line) for line in text.splitlines()]
    lines = ["| id | fault | times | found |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (int(row["id"][1:]), row["what"])):
        found = ", ".join(f"{name} {row[name]}" for name in row if name not in ("id", "what", "n"))
        lines.append(f"| {row['id']} | {row['what']} | {row['n']} | {found} |")
    return "\n".join(lines)


def where():
    """Return date and machine: figures mean nothing without."""
    slurm = subprocess.run(
        ["sh", "-c", "PATH=$PATH:/usr/sbin slurmctld -V"], capture_output=True, text=True
    ).stdout.strip()
    words = [f"{os.cpu_count()} cores", f"{platform.system()} {platform.release()}", slurm or "no Slurm"]
    return f"{time.strftime('%Y-%m-%d')}, {', '.join(words)}"


if __name__ == "__main__":
    print(f"{where()}\n\n{table(Path(sys.argv[1]).read_text())}")
