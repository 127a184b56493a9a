#!/bin/bash
# Train one run on two machines with four GPUs each.
#
#   sbatch examples/slurm.sh RECIPE PHOTOS RUN [more options of upres train]
#
# PHOTOS (a store made by `upres prepare`) and RUN lie on a disk that all machines see. Two minutes
# before the time is over SLURM asks the run to stop; it saves, and the same command goes on.
#SBATCH --job-name=upres
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=upres-%j.log
set -eu
recipe=$1 photos=$2 run=$3
shift 3
exec srun --kill-on-bad-exit=1 \
    python -m upres train "$recipe" --photos "$photos" --out "$run" --quiet "$@"
