#!/bin/bash
# A run's driver in a job of its own, which ends with its wall time and goes on in the next:
#   sbatch --account=$HOMINIS_ACCOUNT workflow/driver.sh --profile leonardo --configfile my-run.yaml
# The next job is queued before the work begins, and taken back once the run is done or has failed. To stop it, cancel
# both: `scancel --name=driver`. The run's own jobs go on then; `hominis cancel` ends those.
#SBATCH --job-name=driver
#SBATCH --partition=lrd_all_serial
#SBATCH --time=04:00:00
#SBATCH --mem=4000
#SBATCH --no-requeue
#SBATCH --output=driver-%j.log
export PATH=$PWD/.venv/bin:$PATH SBATCH_ACCOUNT=$SLURM_JOB_ACCOUNT
next=$(sbatch --parsable --dependency=afterany:"$SLURM_JOB_ID" "$0" "$@") || exit
snakemake "$@"
code=$?
scancel "$next"
exit $code
