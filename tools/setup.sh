#!/usr/bin/env bash
# Make .venv with every service, all CPU extras and the test clients. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")' 2>/dev/null) || {
  echo "setup: $python not found; install Python 3.11 or 3.12 and run: make setup PYTHON=python3.11" >&2; exit 1; }
case $version in 3.11|3.12) ;; *)
  echo "setup: $python is $version; camfleet needs 3.11 or 3.12: make setup PYTHON=python3.11" >&2; exit 1 ;; esac

stamp=$(cat requirements/dev.txt proto/pyproject.toml services/*/pyproject.toml tools/setup.sh | sha256sum | cut -d' ' -f1)
[ "$(cat .venv/.camfleet-setup 2>/dev/null)" = "$stamp" ] && exit 0

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  tools/apt.sh "@python$version-venv:python$version-venv"
fi
echo "setup: making .venv (about a minute, less when packages are cached)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<0.14'
.venv/bin/uv pip install --quiet --python .venv --no-deps --require-hashes -r requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv --no-deps \
  -e proto -e services/capture -e services/model_server -e services/analytics -e services/workbench
# Where PYTHONDONTWRITEBYTECODE is set, every start of a service would compile anew. Some packages hold files of other Pythons.
.venv/bin/python -m compileall -qq -j 0 ".venv/lib/python$version/site-packages" proto/src services/*/src || true
echo "$stamp" > .venv/.camfleet-setup
echo "setup: done"
