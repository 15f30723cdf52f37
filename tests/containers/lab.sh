#!/usr/bin/env bash
# A Docker Engine for the container tests, on a machine that has none and may reach no image registry.
#   lab.sh up                  engine and base images; says what it uses (first time about 2 minutes, later seconds)
#   eval "$(lab.sh env)"       what docker and docker-compose need to find it
#   lab.sh down                stops the engine that `up` started; images stay for the next time
# An engine that already answers is used as it is. Otherwise root on Debian is needed: the engine comes from
# Debian, its files lie in CAMFLEET_LAB (default /tmp/camfleet-lab). Base images are pulled where a registry
# answers and made from Debian packages and this machine's Python 3.11 where none does.
# Exit status 3: no engine can be had here; the reason is on stderr.
set -euo pipefail

LAB=${CAMFLEET_LAB:-/tmp/camfleet-lab}
SOCKET=unix://$LAB/docker.sock
PYTHON_IMAGE=python:3.11-slim-bookworm
DEBIAN_IMAGE=debian:bookworm-slim
IMAGE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "lab: $*" >&2; }
unavailable() { say "$*"; exit 3; }

own_engine_answers() { DOCKER_HOST=$SOCKET docker version >/dev/null 2>&1; }
other_engine_answers() { ! own_engine_answers && docker version >/dev/null 2>&1; }
compose_present() { command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1; }

print_env() {
  other_engine_answers && return 0
  echo "export DOCKER_HOST=$SOCKET DOCKER_BUILDKIT=0"      # Debian ships no buildx, which the client's BuildKit mode wants
}

install_packages() {
  command -v dockerd >/dev/null && command -v debootstrap >/dev/null && compose_present && return 0
  command -v apt-get >/dev/null || unavailable "no Docker Engine answers and this is no Debian; install Docker and start it"
  say "installing Docker Engine, compose and debootstrap from Debian"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
    docker.io docker-compose debootstrap iptables >/dev/null
}

NETWORKS='"bip": "172.31.250.1/24", "default-address-pools": [{"base": "172.31.240.0/21", "size": 26}]'
start_engine() {
  own_engine_answers && return 0
  mkdir -p "$LAB"
  rm -f "$LAB/docker.pid"
  cat > "$LAB/daemon.json" <<JSON
{"hosts": ["$SOCKET"], "pidfile": "$LAB/docker.pid", "data-root": "$LAB/data", "exec-root": "$LAB/exec", $NETWORKS}
JSON
  nohup dockerd --config-file "$LAB/daemon.json" >"$LAB/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 100); do own_engine_answers && return 0; sleep 0.2; done
  tail -n 5 "$LAB/dockerd.log" >&2
  unavailable "the engine did not start within 20 s; its log is $LAB/dockerd.log"
}

# All containers together weigh as much as one process of the machine; that starves them beside a test run.
weigh_containers() {
  local shares=/sys/fs/cgroup/cpu/docker/cpu.shares weight=/sys/fs/cgroup/docker/cpu.weight
  docker run --rm --network none $PYTHON_IMAGE true            # the group is made for the first container
  if [ -w $shares ]; then echo 8192 > $shares; elif [ -w $weight ]; then echo 800 > $weight; fi
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# Certificates of a private authority and pip's settings belong to the machine, so they go into the local base
# image and never into a Dockerfile.
copy_machine_settings() {
  local root=$1 sources=/etc/apt/sources.list.d/debian.sources
  if [ -e "$sources" ]; then cp "$sources" "$root/etc/apt/sources.list.d/" && : > "$root/etc/apt/sources.list"; fi
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n' > "$root/etc/pip.conf"
  grep -hE '^(index-url|trusted-host)' /etc/pip.conf >> "$root/etc/pip.conf" 2>/dev/null || true
}

apt_mirror() {
  awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null
}

make_debian_image() {
  local root=$LAB/debian mirror
  has_image $DEBIAN_IMAGE && return 0
  mirror=$(apt_mirror) || true
  [ -n "$mirror" ] || unavailable "no image registry answers and /etc/apt names no Debian mirror; give this machine either"
  say "no registry answers: making $DEBIAN_IMAGE from Debian packages (about 90 s)"
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,netbase,tzdata bookworm "$root" "$mirror" >"$LAB/debootstrap.log" 2>&1 \
    || unavailable "debootstrap failed; its log is $LAB/debootstrap.log"
  copy_machine_settings "$root"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' --change "ENV PATH=$IMAGE_PATH" - $DEBIAN_IMAGE >/dev/null
  rm -rf "$root"
}

# The layout of the official image: an interpreter with pip under /usr/local, nothing of Python in /usr.
make_python_image() {
  local context=$LAB/python prefix
  prefix=$(python3 -c 'import sys; print(sys.base_prefix if sys.version_info[:2] == (3, 11) else "/usr")')
  [ "$prefix" != /usr ] || unavailable "no registry answers and python3 is not a relocatable 3.11 (pyenv, uv); put one first on PATH"
  say "making $PYTHON_IMAGE from $prefix"
  rm -rf "$context" && mkdir -p "$context/python/bin" "$context/python/lib"
  cp "$prefix/bin/python3.11" "$context/python/bin/"
  cp -a "$prefix"/lib/libpython3*.so* "$context/python/lib/" 2>/dev/null || true
  tar -C "$prefix/lib" --exclude=site-packages --exclude=test --exclude=__pycache__ --exclude='*.a' -c python3.11 \
    | tar -C "$context/python/lib" -x
  mkdir -p "$context/python/lib/python3.11/site-packages"
  cat > "$context/Dockerfile" <<'DOCKERFILE'
FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libssl3 libffi8 libsqlite3-0 libbz2-1.0 liblzma5 libreadline8 \
      libncursesw6 libuuid1 zlib1g libexpat1 libcrypt1 libnsl2 libtirpc3 \
 && rm -rf /var/lib/apt/lists/*
COPY python/ /usr/local/
RUN ldconfig && cd /usr/local/bin && ln -s python3.11 python3 && ln -s python3 python \
 && python3 -m ensurepip >/dev/null && ln -s pip3 pip && pip --version
CMD ["python3"]
DOCKERFILE
  docker build -q -t $PYTHON_IMAGE "$context" >/dev/null
  rm -rf "$context"
}

provide_base_image() {
  has_image $PYTHON_IMAGE && return 0
  timeout 300 docker pull -q $PYTHON_IMAGE >/dev/null 2>&1 && { say "pulled $PYTHON_IMAGE"; return 0; }
  make_debian_image
  make_python_image
}

up() {
  if other_engine_answers; then
    compose_present || unavailable "Docker answers but has no compose; install docker-compose"
    say "using the Docker Engine that is already here"
    return 0
  fi
  [ "$(id -u)" = 0 ] || unavailable "no Docker Engine answers and starting one needs root; start Docker or run as root"
  install_packages
  start_engine
  eval "$(print_env)"
  provide_base_image
  weigh_containers
  say "engine ready at $SOCKET"
}

down() {
  [ -s "$LAB/docker.pid" ] || { say "no engine of this lab is running"; return 0; }
  local pid; pid=$(cat "$LAB/docker.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || { umount "$LAB/exec/netns/default" 2>/dev/null || true; say "engine stopped"; return 0; }
    sleep 0.2
  done
  say "the engine (pid $pid) still runs after 20 s; its log is $LAB/dockerd.log"
  return 1
}

[ "${BASH_SOURCE[0]}" = "$0" ] || return 0   # lab_arm64.sh takes the functions
case "${1:-}" in
  up) up ;;
  env) print_env ;;
  down) down ;;
  *) sed -n '2,9p' "$0" | cut -c3-; exit 2 ;;
esac
