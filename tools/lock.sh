#!/usr/bin/env bash
# Resolve once for all services and write requirements/*.txt with hashes and without index addresses.
# Pins that are there stay where they still fit; UPGRADE=1 raises them all.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD uv=$PWD/.venv/bin/uv
work=$(mktemp -d)   # a copy of the pyproject files, which alone is told of the pins that stay
trap 'rm -rf "$work"' EXIT
git ls-files -z '*pyproject.toml' | xargs -0 cp --parents -t "$work"
raising=(--upgrade)
if [ -z "${UPGRADE:-}" ]; then
  raising=()
  pins=$(sed -n 's/^\([a-z0-9][^\\]*[^ \\]\).*/    "\1",/p' requirements/dev.txt)
  sed -i "/^package = false/r /dev/stdin" "$work/pyproject.toml" <<< "constraint-dependencies = [
$pins
]"
fi
export_lock() { (cd "$work" && "$uv" export --quiet --no-emit-workspace --no-header --no-annotate "$@"); }
(cd "$work" && "$uv" lock --quiet)
lock_service() { export_lock --package "$2" --all-extras --no-dev "${@:3}" -o "$root/requirements/$1.txt" >/dev/null; }
lock_service capture camfleet-capture
lock_service model_server camfleet-server
# The analytics image asks the model server next door: what starts one (`camfleet[local]`) stays out. So does matplotlib,
# which supervision asks for and needs for charts in notebooks only: 60 MB with what comes with it.
lock_service analytics camfleet --no-extra local --prune matplotlib
lock_service workbench camfleet-workbench
export_lock --all-packages --all-extras --all-groups -o "$root/requirements/dev.txt" >/dev/null
echo 'uv_build>=0.9,<0.14' | "$uv" pip compile --quiet "${raising[@]}" --universal --generate-hashes --no-header --no-annotate \
  --python-version 3.11 -o requirements/build.txt - >/dev/null
# What the images for NVIDIA hold beside it, for the Python and CUDA of their base images.
lock_gpu() {
  grep -v '^ ' requirements/model_server.txt | sed 's/ \\$//' | grep -v '^onnxruntime=' > requirements/pins.tmp
  printf '%s\n' "${@:2}" | "$uv" pip compile --quiet "${raising[@]}" --universal --generate-hashes --no-header --no-annotate --python-version 3.12 \
    --constraint requirements/pins.tmp -o "requirements/$1.txt" - >/dev/null
  rm requirements/pins.tmp
}
lock_gpu model_server_cuda onnxruntime-gpu 'cuda-python==13.0.*'
lock_gpu model_server_jetson 'cuda-python==12.9.*'
# Entries whose marker is never true are overrides at work, not requirements.
for file in requirements/*.txt; do
  awk "/^[a-z0-9]/ { skip = /sys_platform == 'never'/ } !skip" "$file" > "$file.new" && mv "$file.new" "$file"
done
