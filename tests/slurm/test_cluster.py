"""The cluster does what its levers promise: each fault is seen in Slurm's own words."""

import psutil
import pytest

from tests.faults.figures import FULL
from tests.slurm.cluster import Cluster
from tests.slurm.configuration import BOOSTER, PREEMPTABLE
from tests.slurm.daemons import ClusterError, processes, wait_for

shown_by_faults = pytest.mark.skipif(not FULL, reason="the fault tests pull this lever, too: at full length only")


def test_a_job_runs_on_two_nodes_and_is_accounted(cluster):
    output = cluster.folder / "jobs/two.out"
    job = cluster.sbatch(
        "srun sh -c 'echo $SLURM_PROCID $SLURMD_NODENAME'\ngetent hosts $(scontrol show hostnames | head -1)",
        "--nodes=2",
        "--gres=gpu:4",
        f"--output={output}",
    )
    assert cluster.wait_state(job, "COMPLETED") == "COMPLETED"
    *ranks, master = output.read_text().splitlines()
    nodes = [line.split()[1] for line in ranks]
    assert len(set(nodes)) == 2 and set(nodes) <= set(cluster.shape.booster)
    assert master.startswith("127.0.0.1 ")
    accounted = lambda: [row["AllocTRES"] for row in cluster.sacct("AllocTRES", "-j", str(job))]  # noqa: E731
    wait_for(lambda: any("gres/gpu=8" in had for had in accounted()), 60, f"accounted: {accounted()}")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--qos=boost_qos_dbg", "--nodes=3"], "QOS"),
        (["--qos=boost_qos_dbg", "--time=31"], "QOS"),
        (["--account=nobody"], "account"),
        (["--partition=nowhere"], "partition"),
        (["--gres=gpu:5"], "node configuration"),
    ],
)
def test_what_leonardo_refuses_is_refused(cluster, options, word):
    with pytest.raises(ClusterError, match=word):
        cluster.sbatch("true", *options)


def test_a_node_that_goes_down_fails_its_job(cluster):
    job = cluster.sbatch("sleep 600", "--no-requeue", "--nodelist=lrdn0002")
    cluster.wait_state(job, "RUNNING")
    cluster.node_down("lrdn0002")
    assert cluster.wait_state(job, "NODE_FAIL") == "NODE_FAIL"
    cluster.node_up("lrdn0002")


def test_a_process_outlives_its_node(cluster):
    job = cluster.sbatch("exec sleep 600", "--no-requeue", "--nodelist=lrdn0003")
    cluster.wait_state(job, "RUNNING")
    left = cluster.stop_daemon("lrdn0003")
    cluster.wait_state(job, "NODE_FAIL")
    assert "sleep" in [process.name() for process in left]
    cluster.start_daemon("lrdn0003")
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive  # Slurm finds and ends what it doesn't know


@shown_by_faults
def test_a_killed_controller_comes_back_with_its_jobs(cluster):
    job = cluster.sbatch("sleep 600")
    cluster.wait_state(job, "RUNNING")
    cluster.kill_controller(saved=True)
    assert "Unable to contact" in cluster.command("squeue", timeout=60).stderr
    cluster.start_controller()
    assert cluster.state(job) == "RUNNING"
    assert cluster.job_processes(job=job)
    cluster.cancel(job)


@shown_by_faults
def test_ids_given_out_since_the_saved_state_are_given_out_again(cluster):
    with cluster.forgotten():
        first = cluster.sbatch("true", "--job-name=first")
        cluster.wait_state(first, "COMPLETED")
    assert cluster.sbatch("true", "--job-name=second") == first
    assert cluster.job(first)["JobName"] == "second"


def test_requeue_and_preemption_are_attempts_of_their_own(cluster):
    job = cluster.sbatch("sleep 600", "--requeue", f"--qos={PREEMPTABLE}", "--exclusive")
    cluster.wait_state(job, "RUNNING")
    cluster.requeue(job)
    cluster.wait_state(job, "RUNNING")
    cluster.preempt(job)
    cluster.wait_state(job, "RUNNING")
    cluster.cancel(job)

    def states():
        return [row["State"].split()[0] for row in cluster.sacct("State", "-D", "-j", str(job))]

    wait_for(lambda: states() == ["REQUEUED", "PREEMPTED", "CANCELLED"], 60, lambda: f"accounting has {states()}")


@shown_by_faults
def test_accounting_can_be_away(cluster):
    cluster.accounting_down()
    assert cluster.command("sacct").returncode != 0
    job = cluster.sbatch("true")
    cluster.wait_state(job, "COMPLETED")
    cluster.accounting_up()
    cluster.partition("DOWN")
    waiting = cluster.sbatch("true")
    assert cluster.wait_state(waiting, "PENDING")
    cluster.partition("UP")
    cluster.wait_state(waiting, "COMPLETED")


@pytest.fixture
def second(cluster):
    """A cluster as large as Leonardo, one node of which runs."""
    with Cluster(cluster.folder / "2", nodes=1, absent=3455, max_submit=3) as second:
        yield second
    assert not processes(second.slurm_conf)


@shown_by_faults
def test_a_second_cluster_is_large_and_limited_and_knows_nothing_of_the_first(cluster, second):
    assert set(second.ports.nodes).isdisjoint(cluster.ports.nodes)
    assert second.output("sinfo", "-h", "-p", BOOSTER, "-o", "%D %t").splitlines() == ["1 idle", "3455 down"]
    with pytest.raises(ClusterError, match="submit limit"):
        second.sbatch("true", "--array=1-4")
    job = second.sbatch("sleep 600 & wait", "--job-name=elsewhere")
    second.wait_state(job, "RUNNING")
    assert "elsewhere" not in [row["name"] for row in cluster.squeue()]
