#!/usr/bin/env bash
# Make .venv with every service, all CPU extras and the test clients. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")' 2>/dev/null) || {
  echo "setup: $python not found; install Python 3.11 or 3.12 and run: make setup PYTHON=python3.11" >&2; exit 1; }
case $version in 3.11|3.12) ;; *)
  echo "setup: $python is $version; camfleet needs 3.11 or 3.12: make setup PYTHON=python3.11" >&2; exit 1 ;; esac

venv=$(pwd -P)/.venv
stamp=$({ cat requirements/dev.txt proto/pyproject.toml services/*/pyproject.toml tools/setup.sh; echo "$version $venv"; } | sha256sum | cut -d' ' -f1)
is_done() { [ "$(cat .venv/.camfleet-setup 2>/dev/null)" = "$stamp" ]; }
is_done && exit 0
mkdir -p var
exec 9>var/.setup.lock
flock 9  # of two at once the second one finds all done
is_done && exit 0

# One whose making was cut has no pip, the scripts of a moved one name its former folder, and another Python needs another one.
is_usable() { [ -e ".venv/lib/python$version" ] && .venv/bin/python -c 'import pip' 2>/dev/null && grep -qsF "$venv/bin/" .venv/bin/pip; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  tools/apt.sh "@python$version-venv:python$version-venv"
fi
echo "setup: making .venv (about a minute, less when packages are cached)"
is_usable || "$("$python" -c 'import sys; print(sys._base_executable)')" -m venv --clear .venv
trap 'echo "setup: the Python packages did not come; is there a network? A proxy is HTTPS_PROXY, a mirror PIP_INDEX_URL and UV_DEFAULT_INDEX. make setup goes on where it stopped" >&2' ERR
.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<0.14'
.venv/bin/uv pip install --quiet --python .venv --no-deps --require-hashes -r requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv --no-deps \
  -e proto -e services/capture -e services/model_server -e services/analytics -e services/workbench
trap - ERR
# Where PYTHONDONTWRITEBYTECODE is set, every start of a service would compile anew. Some packages hold files of other Pythons.
.venv/bin/python -m compileall -qq -j 0 ".venv/lib/python$version/site-packages" proto/src services/*/src || true
echo "$stamp" > .venv/.camfleet-setup
echo "setup: done"
