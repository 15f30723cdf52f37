#!/usr/bin/env bash
# apt.sh COMMAND:PACKAGE ...: install Debian packages whose command is missing ('@x:p' always asks for p).
set -euo pipefail
missing=()
for pair in "$@"; do
  command=${pair%%:*}
  case $command in
    @*) missing+=("${pair#*:}") ;;
    *) command -v "$command" >/dev/null || missing+=("${pair#*:}") ;;
  esac
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "apt: as root run: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "apt: installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
