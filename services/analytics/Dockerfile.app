# What applications are built from: a model server's image with the library in it. `camfleet app package` builds it.
# Context: the repository root. SERVER_IMAGE is services/model_server/Dockerfile, or .cuda .hailo .intel-gpu .jetson.
# Tried: the default flavour, built and run on amd64 (tests/containers). The others were NOT run on hardware.
ARG SERVER_IMAGE=camfleet-model-server
FROM python:3.11-slim-bookworm AS own
WORKDIR /source
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/build.txt
COPY proto proto
COPY services/analytics services/analytics
RUN pip install --no-cache-dir --no-deps --no-build-isolation --prefix=/own ./proto ./services/analytics

# hadolint ignore=DL3006
FROM ${SERVER_IMAGE}
USER root
ENV PIP_ROOT_USER_ACTION=ignore

# Both services are locked to the same versions, so this adds what the server does not have.
COPY requirements/analytics.txt /usr/share/camfleet/analytics.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /usr/share/camfleet/analytics.txt \
 && find /usr/local/lib/python3.11/site-packages \( -name tests -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.[ach]' \) -prune -exec rm -r {} +
COPY --from=own /own /usr/local

# /dev/shm is there, and writable, also under `docker run --read-only`; it is where a private model server lives.
ENV MODELS_DIR=/models CAMFLEET_STATE=/state CAMFLEET_CACHE=/cache TMPDIR=/dev/shm CAMFLEET_SERVER=local STREAMER_PORT=5000
USER 10001:10001
WORKDIR /app
ENTRYPOINT []
CMD ["camfleet", "app", "--help"]
HEALTHCHECK NONE
