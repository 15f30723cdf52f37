#!/usr/bin/env bash
# Resolve once for all services and write requirements/*.txt with hashes and without index addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
export_lock() { "$uv" export --quiet --no-emit-workspace --no-header --no-annotate "$@"; }
"$uv" lock --quiet
# The analytics image asks the model server next door: what starts one (`camfleet[local]`) stays out.
for pair in capture:camfleet-capture model_server:camfleet-server analytics:camfleet workbench:camfleet-workbench; do
  export_lock --package "${pair#*:}" --all-extras --no-extra local --no-dev -o "requirements/${pair%%:*}.txt" >/dev/null
done
export_lock --all-packages --all-extras --all-groups -o requirements/dev.txt >/dev/null
echo 'uv_build>=0.9,<0.14' | "$uv" pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
  --python-version 3.11 -o requirements/build.txt - >/dev/null
# Entries whose marker is never true are overrides at work, not requirements.
for file in requirements/*.txt; do
  awk "/^[a-z0-9]/ { skip = /sys_platform == 'never'/ } !skip" "$file" > "$file.new" && mv "$file.new" "$file"
done
rm -f uv.lock   # it names an index address on every line
