"""The batch script of an array: submitit writes it, what durable jobs need is added."""

import shlex
import sys
from pathlib import Path

import hominis
from hominis.config.slurm import Resources, SlurmSection
from hominis.jobs.commands import Refused

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Compute nodes have no network: what a stage needs was fetched before."""


def write(
    section: SlurmSection,
    resources: Resources,
    command: list[str],
    *,
    name: str,
    tasks: int,
    output: Path,
    avoid: tuple[str, ...] = (),
) -> str:
    """Return the script of an array whose tasks each run ``command`` with Python.

    The job is asked to stop (USR2 to its batch shell, which Python replaced) some time before its wall time; it is
    never requeued, for the driver submits the next segment.

    Args:
        command: what follows Python on the command line.
        tasks: length of the array. ``output``: with ``%a`` for the index.
    """
    from submitit.slurm.slurm import _make_sbatch_string  # private: pinned, and a test holds its text; slow to import

    text: str = _make_sbatch_string(
        command=f"exec {shlex.quote(sys.executable)} {shlex.join(command)}",
        folder=output.parent,
        job_name=name,
        comment=name,
        wckey=None,  # type: ignore[arg-type]  # submitit's own name is no key of the site's
        use_srun=False,
        stderr_to_stdout=True,
        setup=_setup(section, resources),
        additional_parameters={
            "array": f"0-{tasks - 1}%{section.throttle}",
            "signal": f"B:USR2@{section.warn_s}",
            "no-requeue": True,
            "output": str(output),
            **_asked(resources),
            **({"exclude": ",".join(avoid)} if avoid else {}),
            **_options(resources.slurm_extra),
        },
    )
    return text


def _asked(resources: Resources) -> dict[str, object]:
    """Return options of sbatch: what isn't asked for is left to the site."""
    ranks, rest = divmod(resources.tasks, resources.nodes)
    if rest:
        raise Refused(f"{resources.tasks} tasks can't be spread evenly over {resources.nodes} nodes")
    options: dict[str, object] = {
        "partition": resources.slurm_partition,
        "account": resources.slurm_account,
        "qos": resources.qos,
        "constraint": resources.constraint,
        "gres": resources.gres,
        "mem": f"{resources.mem_mb}M" if resources.mem_mb else "",
        "time": resources.runtime,
        "nodes": resources.nodes,
        "ntasks-per-node": ranks,
        "cpus-per-task": resources.cpus_per_task,
    }
    return {name: value for name, value in options.items() if value}


def _setup(section: SlurmSection, resources: Resources) -> list[str]:
    offline = [f"export {name}=1" for name in OFFLINE]
    launch = [f"export HOMINIS_LAUNCH={'srun' if resources.tasks > 1 else ''}"]
    further = [f"export HOMINIS_SRUN={shlex.quote(shlex.join(section.srun))}"]
    return [*offline, *launch, *further, *_other_python(section), *section.setup]


def _other_python(section: SlurmSection) -> list[str]:
    """Give the ranks another Python, which finds this code; the job around them calls srun and stays outside."""
    if not section.python:
        return []
    code = Path(hominis.__file__).parents[1]
    return [f'export HOMINIS_PYTHON="{section.python}"', f"export PYTHONPATH={shlex.quote(str(code))}"]


def _options(extra: str) -> dict[str, object]:
    """Return options as on sbatch's command line, ``--name=value`` or ``--name``, by name."""
    found: dict[str, object] = {}
    for word in shlex.split(extra):
        name, _, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            raise Refused(f"slurm_extra: {word!r} is not of the form --name=value", where=extra)
        found[name] = value or True
    return found
