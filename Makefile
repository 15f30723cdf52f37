# camfleet: `make help` lists the targets. Each is one command; CI calls only these.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CAMERAS ?=
MODEL ?=
COMPOSE := $(shell command -v docker-compose >/dev/null && echo docker-compose || echo docker compose) --project-name camfleet
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long test-browser test-rtsp-peers test-notebooks test-containers test-arm64 check check-deploy balena release fix lock proto schemas bench bench-server bench-peers bench-capture bench-analytics up down backup restore logs images engine

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup:  ## .venv with every service and the test clients; apt packages where missing (idempotent)
	@tools/setup.sh $(PYTHON)

run: setup  ## the whole fleet on the demo; CAMERAS="rtsp://... clip.mp4" MODEL=fastestdet-coco for real input
	@$(BIN)/camfleet up $(if $(CAMERAS),--cameras "$(CAMERAS)") $(if $(MODEL),--model "$(MODEL)")

test: setup  ## unit, contract, interop and one fleet test (at most 10 minutes on 2 cores)
	@tools/apt.sh mosquitto:mosquitto nats-server:nats-server || echo 'test: without them the tests of MQTT and NATS skip'
	@$(BIN)/python -m pytest -n 3 --dist loadfile --durations 20 -m "not (long or alone or browser or notebooks or containers or arm64 or peers)"
	@$(BIN)/python -m pytest -m "alone and not long"

test-long: setup  ## fleets broken on purpose, counts on minutes of film, every model on every runtime (about 5 minutes)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --durations 20 -m "long and not alone"
	@$(BIN)/python -m pytest -m "alone and long"

test-browser: setup  ## the page and JupyterLab in headless Chromium (installs Debian's chromium)
	@tools/apt.sh chromium:chromium chromedriver:chromium-driver
	@$(BIN)/python -m pytest -m browser

GSTREAMER := python3-gi gir1.2-gst-rtsp-server-1.0 glib-networking $(patsubst %,gstreamer1.0-%,tools libav \
  plugins-base plugins-good plugins-bad plugins-ugly)
test-rtsp-peers: setup  ## RTSP with the ffmpeg command and GStreamer (installs both from Debian, 250 MB)
	@tools/apt.sh ffmpeg:ffmpeg $(GSTREAMER:%=gst-launch-1.0:%)
	@$(BIN)/python -m pytest -n 2 -m peers tests/capture

test-notebooks: setup  ## runs the notebooks from top to bottom, and what of the workbench takes long
	@$(BIN)/python -m pytest -m notebooks

test-containers: setup  ## the fleet in real containers (root, Debian; starts its own Docker Engine)
	@$(BIN)/python -m pytest tests/containers -m containers

test-arm64: setup  ## wheels and images for arm64, under emulation (root, Debian; 15 minutes at load 20)
	@$(BIN)/python -m pytest tests/containers -m arm64 --durations 10

check: setup  ## format, lint, types, import rules, sizes, version, spelling, Dockerfiles
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy proto services tests benchmarks tools/deploy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_sizes.py
	@$(BIN)/python tools/deploy/release.py
	@$(BIN)/codespell README.md CONTRIBUTING.md CHANGELOG.md docs proto/src services tests benchmarks models/examples
	@$(BIN)/hadolint --failure-threshold warning services/*/Dockerfile* compose/gateway/Dockerfile

check-deploy: setup  ## Dockerfiles and compose files: hadolint, compose config, schema, balena's rules and its own parser
	@tools/apt.sh docker-compose:docker-compose npm:npm || echo 'check-deploy: without them their checks are skipped'
	@$(BIN)/python tools/deploy/check_deploy.py

TARGET ?=
balena: setup  ## TARGET=usb (hailo, intel-gpu, jetson, small): var/balena-usb, which `balena push` takes
	@$(BIN)/python tools/deploy/balena_tree.py $(TARGET)

VERSION ?=
release: setup  ## VERSION=0.2.0: writes the number everywhere and dates the changes (CONTRIBUTING.md, Releases)
	@[ -n '$(VERSION)' ] || { echo 'release: say which, such as make release VERSION=0.2.0' >&2; exit 2; }
	@$(BIN)/python tools/deploy/release.py '$(VERSION)'

fix:  ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup  ## requirements/*.txt from the pyproject files, keeping pins; UPGRADE=1 raises them (needs the package index)
	@tools/lock.sh

proto: setup  ## the committed message stubs from proto/*.proto
	@$(BIN)/python proto/generate.py

schemas: setup  ## docs/schemas/*.json from the contracts
	@$(BIN)/python -m camfleet_contracts.json_schemas docs/schemas

bench: bench-server bench-capture bench-analytics  ## all benchmarks, as tables of ratios

bench-server: setup  ## the model server: against the raw runtime, its front, memory, scheduling, pictures, reloads
	@$(BIN)/python benchmarks/bench_server.py
	@$(BIN)/python benchmarks/bench_server_wire.py
	@$(BIN)/python benchmarks/bench_server_runtimes.py
	@$(BIN)/python benchmarks/bench_server_shm.py
	@$(BIN)/python benchmarks/bench_server_scheduling.py
	@$(BIN)/python benchmarks/bench_pictures.py
	@$(BIN)/python benchmarks/bench_server_reload.py
	@$(BIN)/python benchmarks/bench_publish.py

PEER_BENCH ?= ../shared/tools/peer-bench
PEERS := $(CURDIR)/var/peer-bench
bench-peers: setup  ## the model server beside Triton and KServe (needs peer-bench: PEER_BENCH=folder)
	@tools/apt.sh h2load:nghttp2-client
	@[ -x $(PEERS)/ours/bin/python ] || UV=$(CURDIR)/$(BIN)/uv sh $(PEER_BENCH)/setup.sh $(PEERS)
	@$(BIN)/python benchmarks/bench_server_peers.py --peer-bench $(PEER_BENCH) --venvs $(PEERS)
	@$(BIN)/python benchmarks/bench_server_streams.py --peer-bench $(PEER_BENCH) --venvs $(PEERS)

bench-capture: setup  ## capture's share of a core: stream copy and the demo scene
	@$(BIN)/python benchmarks/bench_capture.py
	@$(BIN)/python benchmarks/bench_demo_scene.py

bench-analytics: setup  ## the fleet beside a script for one camera; analytics' own time per frame
	@$(BIN)/python benchmarks/bench_analytics.py
	@$(BIN)/python benchmarks/bench_operator.py
	@$(BIN)/python benchmarks/bench_analytics_frame.py
	@$(BIN)/python benchmarks/bench_library.py
	@$(BIN)/python benchmarks/bench_idle.py
	@$(BIN)/python benchmarks/bench_outbox_bytes.py

engine:
	@docker version >/dev/null 2>&1 || { echo 'no Docker Engine answers; start Docker, or the one of the tests: tests/containers/lab.sh up; eval "$$(tests/containers/lab.sh env)"' >&2; exit 1; }

# The models of the seed come from their upstream addresses, or by sha256 from CAMFLEET_MIRROR=http://... (docs/containers.md).
BUILD = $(COMPOSE) build --quiet --build-arg REVISION=$(shell git rev-parse --short HEAD) \
  $(if $(filter http%,$(CAMFLEET_MIRROR)),--build-arg CAMFLEET_MIRROR=$(CAMFLEET_MIRROR))
up: engine  ## the fleet in containers: build, start, print the login link
	@$(BUILD)
	@$(COMPOSE) up --detach
	@$(COMPOSE) exec -T analytics camfleet url
	@echo 'make logs: what it does; make down: stop it'

down: engine  ## stop the fleet in containers; its volumes stay
	@$(COMPOSE) down

backup: engine  ## the volumes of the fleet in containers as files below var/; the fleet stops meanwhile
	@COMPOSE='$(subst --project-name camfleet,,$(COMPOSE))' tools/deploy/volumes.sh save var/backup-$$(date +%Y-%m-%d-%H%M%S)

FROM ?=
restore: engine  ## FROM=var/backup-...: the volumes as they were then
	@COMPOSE='$(subst --project-name camfleet,,$(COMPOSE))' tools/deploy/volumes.sh load '$(FROM)'

logs: engine  ## follow the logs of the fleet in containers
	@$(COMPOSE) logs --follow --tail 100

images: engine  ## build the images and print what they install; fails when one is over its limit
	@$(BUILD)
	@tools/image_sizes.sh $(foreach service,capture model-server analytics workbench,'$(service)=camfleet?$(service):latest')
