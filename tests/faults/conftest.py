"""The cluster that the fault tests share: one for all of them."""

from tests.slurm.conftest import cluster  # noqa: F401
