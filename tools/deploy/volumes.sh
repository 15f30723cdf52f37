#!/usr/bin/env bash
# The volumes of a fleet in containers as files, and back.
#   volumes.sh save FOLDER    one .tar.gz a volume; the fleet stops meanwhile, so that all of them are of one moment
#   volumes.sh load FOLDER    empties the volumes that FOLDER has files of, fills them, and starts the fleet
# PROJECT (default camfleet) names the fleet, COMPOSE (default: docker compose) the command with its -f options.
# The cache is left out: it is made again.
set -euo pipefail
umask 077

PROJECT=${PROJECT:-camfleet}
read -ra COMPOSE <<<"${COMPOSE:-docker compose} --project-name $PROJECT"
VOLUMES="models notebooks state recordings secrets"
IMAGE=debian:bookworm-slim

fail() { echo "volumes: $*" >&2; exit 1; }
exists() { docker volume inspect "$1" >/dev/null 2>&1; }

up_now() { local status; for status in running restarting; do "${COMPOSE[@]}" ps --services --filter status=$status; done; }

save() {
  local volume found=
  mkdir -p "$FOLDER"
  mapfile -t UP < <(up_now | grep .)      # what was down stays down
  if [ ${#UP[@]} -gt 0 ]; then
    trap '"${COMPOSE[@]}" start "${UP[@]}"' EXIT
    "${COMPOSE[@]}" stop
  fi
  for volume in $VOLUMES; do
    exists "${PROJECT}_$volume" || continue
    found=1
    docker run --rm --network none --volume "${PROJECT}_$volume:/from:ro" $IMAGE tar -C /from -cz . > "$FOLDER/$volume.tar.gz.part" \
      || fail "$volume was not saved; is $FOLDER full?"
    mv "$FOLDER/$volume.tar.gz.part" "$FOLDER/$volume.tar.gz"
  done
  [ -n "$found" ] || fail "no volume of project $PROJECT is here; PROJECT names another one"
  echo "volumes: saved to $FOLDER; it holds keys and passwords, so keep it where nobody else reads it"
}

load() {
  local volume file
  for file in "$FOLDER"/*.tar.gz; do
    [ -s "$file" ] || fail "$FOLDER has no volumes; give the folder of an earlier save"
    gzip -t "$file" || fail "$file is damaged; nothing was changed"
  done
  "${COMPOSE[@]}" up --no-start
  "${COMPOSE[@]}" stop
  for volume in $VOLUMES; do
    [ -e "$FOLDER/$volume.tar.gz" ] || continue
    docker run --rm --interactive --network none --volume "${PROJECT}_$volume:/to" $IMAGE \
      sh -c 'find /to -mindepth 1 -delete && tar -C /to -xz --preserve-permissions --same-owner' < "$FOLDER/$volume.tar.gz" \
      || fail "$volume was not filled; the fleet is stopped, load again"
  done
  "${COMPOSE[@]}" start
  echo "volumes: loaded from $FOLDER"
}

[ $# -eq 2 ] || { sed -n '2,6p' "$0" | cut -c3-; exit 2; }
FOLDER=$2
case "$1" in
  save) save ;;
  load) load ;;
  *) fail "save or load, not $1" ;;
esac
