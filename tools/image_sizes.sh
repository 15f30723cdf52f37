#!/usr/bin/env bash
# What the images install over their base image, by du and without pip and tests, against the limits; fails when one is over.
#   tools/image_sizes.sh SERVICE=IMAGE...     an image's name, id, or a pattern of names (camfleet?capture:latest)
set -euo pipefail
BASE=python:3.11-slim-bookworm
declare -A LIMITS=([capture]=250 [analytics]=600 [model-server]=900)      # MB; the workbench has none

find_image() {
  docker images --quiet --filter "reference=$1" | head -n 1 | grep . && return
  docker image inspect --format '{{.Id}}' "$1" 2>/dev/null | grep . && return
  echo "there is no image $1; build it with make images" >&2
  return 1
}
bytes_of() {
  docker run --rm --user 0 --network none --entrypoint du "$1" --summarize --one-file-system --block-size=1 \
    --exclude=tests --exclude='pip' --exclude='pip-*.dist-info' / | cut -f1
}

base=$(bytes_of $BASE)
over=0
printf '%-14s %10s %8s\n' service installed limit
for pair in "$@"; do
  service=${pair%%=*} limit=${LIMITS[${pair%%=*}]:-}
  image=$(find_image "${pair#*=}")
  size=$(( ($(bytes_of "$image") - base + 999999) / 1000000 ))
  printf '%-14s %7d MB %8s\n' "$service" "$size" "${limit:+$limit MB}"
  if [ -n "$limit" ] && [ "$size" -gt "$limit" ]; then over=1; echo "$service is over its limit" >&2; fi
done
exit $over
