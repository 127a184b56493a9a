#!/bin/sh
# Train one run with several processes, on one machine or more.
#
#   sh examples/torchrun.sh RECIPE PHOTOS RUN [more options of upres train]
#
# One machine: PROCESSES=4 sh examples/torchrun.sh ...
# More: the same command on each, with MACHINES, MACHINE (0, 1, ...) and the name or address of
# machine 0 as MASTER. PHOTOS (a store made by `upres prepare`) and RUN lie on a disk that all see.
# A run that was stopped goes on with the same command, also with another number of processes.
set -eu
recipe=$1 photos=$2 run=$3
shift 3
exec torchrun \
    --nproc-per-node "${PROCESSES:-2}" \
    --nnodes "${MACHINES:-1}" \
    --node-rank "${MACHINE:-0}" \
    --master-addr "${MASTER:-127.0.0.1}" \
    --master-port "${PORT:-29500}" \
    -m upres train "$recipe" --photos "$photos" --out "$run" "$@"
