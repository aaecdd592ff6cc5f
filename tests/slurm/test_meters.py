"""What srun starts, on all nodes of a job, is metered by the part that started it, once."""

import contextlib
import json
import shlex
import sys

import psutil
import pytest

from hominis.carbon import meter, processor
from tests.slurm.daemons import processes, wait_for

BURN = """
import time
while time.process_time() < {}:
    pass
print('{{"burnt": %f}}' % time.process_time(), flush=True)
"""
PART = """
import json, os, subprocess, sys, time
from hominis.carbon import meter
made = meter.start()
print(json.dumps({{"pid": os.getpid()}}), flush=True)
while "2 of 2 nodes" not in made.read()["method"]:
    time.sleep(0.1)
before = made.read()
ranks = subprocess.Popen(["srun", sys.executable, "-c", {burn!r}])
while ranks.poll() is None:
    time.sleep(0.2)
    made.read()
print(json.dumps({{"before": before, "after": made.read()}}), flush=True)
time.sleep({rest})
"""


REFUSED = """
import time
from hominis.carbon import meter
made = meter.start()
time.sleep(2)
print(made.read()["method"])
"""


def submit(cluster, tmp_path, script, *options, setup="true"):
    """Submit a job that Python runs as a part, as our batch scripts do; returns its id and the file of its output."""
    path, output = tmp_path / "part.py", tmp_path / "part.out"
    path.write_text(script)
    run = f"export HOMINIS_LAUNCH=srun\n{setup}\nexec {shlex.quote(sys.executable)} {path}"
    return cluster.sbatch(run, "--time=5", f"--output={output}", *options), output


def submit_ranks(cluster, tmp_path, cpu_s, rest):
    """Submit a part with two ranks on each of two whole nodes: each burns some CPU time, then the part rests."""
    script = PART.format(burn=BURN.format(cpu_s), rest=rest)
    options = ["--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=16", "--gres=gpu:4", "--mem=0"]
    return submit(cluster, tmp_path, script, *options)


def said(output):
    """Return the lines of JSON in a job's output."""
    lines = output.read_text().splitlines() if output.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{")]


def meters(cluster):
    """Return the meters that run on the nodes (not the srun that started them)."""
    found = []
    for process in processes(cluster.slurm_conf):
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie too
            if process.cmdline()[1:3] == ["-m", "hominis.carbon.node"]:
                found.append(process)
    return found


def watts_of_a_thread():
    if "cpu estimated" not in str(meter.local().read()["method"]):
        pytest.skip("this machine measures its processors: what known CPU seconds must cost isn't known")
    return processor.watts_per_thread(processor.read_processor(), processor.power_table())[0]


def test_ranks_on_both_nodes_are_metered_once(cluster, tmp_path):
    watts = watts_of_a_thread()
    job, output = submit_ranks(cluster, tmp_path, cpu_s=3, rest=0)
    assert cluster.wait_state(job, "COMPLETED", "FAILED", timeout_s=120) == "COMPLETED"
    burnt = [line["burnt"] for line in said(output) if "burnt" in line]
    (readings,) = [line for line in said(output) if "after" in line]
    assert len(burnt) == 4
    assert "2 of 2 nodes answer" in readings["after"]["method"]
    used = (readings["after"]["cpu_kwh"] - readings["before"]["cpu_kwh"]) * 3.6e6 / watts
    # More: what starting Python, srun and the meters cost. Less: what was used after the last look.
    assert 0.85 * sum(burnt) < used < 1.3 * sum(burnt)


@pytest.mark.parametrize("end", ["killed", "cancelled"])
def test_a_part_that_is_ended_leaves_no_meter(cluster, tmp_path, end):
    job, output = submit_ranks(cluster, tmp_path, cpu_s=0, rest=600)
    wait_for(lambda: any("after" in line for line in said(output)), 60, "the part doesn't meter")
    nodes = cluster.output("scontrol", "show", "hostnames", cluster.job(job)["NodeList"]).split()
    assert sorted(m.environ()["SLURMD_NODENAME"] for m in meters(cluster)) == nodes
    if end == "killed":
        psutil.Process(said(output)[0]["pid"]).kill()
    else:
        cluster.output("scancel", str(job))
    wait_for(lambda: not meters(cluster), 10, "meters are left")
    wait_for(lambda: not cluster.squeue(), 10, "the job is left")


def test_a_step_that_slurm_refuses_is_named_and_the_part_goes_on(cluster, tmp_path):
    job, output = submit(cluster, tmp_path, REFUSED, setup="export SLURM_JOB_ID=999999")
    assert cluster.wait_state(job, "COMPLETED", "FAILED") == "COMPLETED"
    assert "0 of 1 nodes answer (srun: " in output.read_text()
