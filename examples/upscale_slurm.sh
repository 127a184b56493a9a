#!/bin/bash
# Enlarge a folder of pictures by sixteen machines, each its own part.
#
#   sbatch [--array=1-N] examples/upscale_slurm.sh PHOTOS RESULTS [more options of upres upscale]
#
# PHOTOS and RESULTS lie on a disk that all machines see. A picture's part follows from its name, so
# no two machines work on one. A part that was stopped, killed or that failed goes on with what is
# missing when the same command is given again, whatever N is then.
#SBATCH --job-name=upres-upscale
#SBATCH --array=1-16
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=INT@60
#SBATCH --output=upres-upscale-%A-%a.log
set -eu
photos=$1 results=$2
shift 2
part=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
exec srun python -m upres upscale "$photos" --recursive --output "$results" \
    --shard "$part/$SLURM_ARRAY_TASK_COUNT" --quiet "$@"
