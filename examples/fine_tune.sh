#!/bin/sh
# Fine-tune the shipped model on photos of one kind, and judge it on other photos of that kind
# beside the model that it started from and one that began from nothing.
#
#     sh examples/fine_tune.sh PHOTOS HELD_OUT OUT [--set FIELD=VALUE ...]
#
# PHOTOS: about 20 photos of the kind. HELD_OUT: others that PHOTOS has no near duplicates of.
# OUT: the folder to write. Further settings reach both trainings, after those below. Each takes
# five minutes; interrupted, the same command goes on.
set -eu

if [ $# -lt 3 ]; then
    echo "usage: sh $0 PHOTOS HELD_OUT OUT [--set FIELD=VALUE ...]" >&2
    exit 2
fi
photos=$1 held_out=$2 out=$3
shift 3

# From the start's weights: a low rate that falls to nothing within the run.
upres train compact-x4 --photos "$photos" --out "$out/tuned" --init compact-x4 \
    --set stages.pixel.minutes=5 \
    --set stages.pixel.optimiser.rate=2e-4 \
    --set stages.pixel.schedule.warmup_steps=50 \
    --set stages.pixel.ema=0.99 \
    --set stages.pixel.handover=last \
    --set crops.texture=true \
    "$@"

# The same time from nothing, at the recipe's own rate.
upres train compact-x4 --photos "$photos" --out "$out/scratch" \
    --set stages.pixel.minutes=5 \
    --set stages.pixel.ema=0.99 \
    --set stages.pixel.handover=last \
    --set crops.texture=true \
    "$@"

upres evaluate bicubic compact-x4 "$out/scratch" "$out/tuned" --data "$held_out" \
    --json "$out/scores.json"
