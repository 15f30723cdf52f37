#!/usr/bin/env bash
# A Docker Engine whose base image is for arm64, for the tests of the arm64 images. Root on Debian is needed.
#   lab_arm64.sh up                  engine, emulation (QEMU) and base image; says what it uses (first time about 5 minutes)
#   eval "$(lab_arm64.sh env)"       what docker needs to find it
#   lab_arm64.sh down                stops the engine and the emulation that `up` began; images stay
# It is an engine of its own beside any other, so that one name stands for one processor in each. Its network leads nowhere:
# build with --network host. The base image is pulled where a registry answers, and made from Debian's arm64 packages
# where none does; an engine of this age takes an image that was made so for one of this machine, so no --platform then.
# Exit status 3: no engine can be had here; the reason is on stderr.
set -euo pipefail

CAMFLEET_LAB=${CAMFLEET_LAB:-/tmp/camfleet-lab-arm64}
# shellcheck source=tests/containers/lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

PLATFORM=linux/arm64
BRIDGE=camfleet-arm64                                   # an engine without one would take away docker0, which others use
NETWORKS='"bridge": "'$BRIDGE'", "iptables": false'
BINFMT=/proc/sys/fs/binfmt_misc
EMULATOR=/usr/bin/qemu-aarch64-static
# An ELF file of 64 bits for processor 183; F: the kernel keeps the emulator open, so containers need not have it.
ARM64_PROGRAMS=':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'$EMULATOR':F'

print_env() {
  echo "export DOCKER_HOST=$SOCKET DOCKER_BUILDKIT=0"
  if [ -e "$LAB/pulled" ]; then echo "export DOCKER_DEFAULT_PLATFORM=$PLATFORM"; fi
}

start_emulation() {
  [ "$(uname -m)" = aarch64 ] && return 0
  mountpoint -q $BINFMT || mount -t binfmt_misc binfmt_misc $BINFMT || unavailable "binfmt_misc cannot be mounted at $BINFMT"
  [ -e $BINFMT/qemu-aarch64 ] && return 0
  if [ ! -x $EMULATOR ]; then
    say "installing QEMU from Debian"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends qemu-user-static >/dev/null
  fi
  [ -e $BINFMT/qemu-aarch64 ] && return 0              # its package may have done it
  printf '%s' "$ARM64_PROGRAMS" > $BINFMT/register || unavailable "the kernel takes no emulator at $BINFMT/register"
  touch "$LAB/emulation-begun"
}

make_bridge() {
  [ -e /sys/class/net/$BRIDGE ] && return 0
  ip link add $BRIDGE type bridge && ip address add 172.31.251.1/24 dev $BRIDGE || unavailable "no bridge can be made; install iproute2"
}

# Debian's own Python as a virtual environment at /usr/local: the folders of the official image.
make_python_image() {
  local root=$LAB/python mirror
  mirror=$(apt_mirror) || true
  [ -n "$mirror" ] || unavailable "no image registry answers and /etc/apt names no Debian mirror; give this machine either"
  say "no registry answers: making $PYTHON_IMAGE for arm64 from Debian packages (about 5 minutes)"
  rm -rf "$root"
  debootstrap --arch=arm64 --variant=minbase --include=ca-certificates,netbase,tzdata,python3.11-venv bookworm "$root" "$mirror" \
    >"$LAB/debootstrap.log" 2>&1 || unavailable "debootstrap failed; its log is $LAB/debootstrap.log"
  copy_machine_settings "$root"
  chroot "$root" python3.11 -m venv --copies /usr/local
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import --platform $PLATFORM --change 'CMD ["python3"]' --change "ENV PATH=$IMAGE_PATH" - $PYTHON_IMAGE >/dev/null
  rm -rf "$root"
}

provide_base_image() {
  has_image $PYTHON_IMAGE && return 0
  if timeout 300 docker pull -q --platform $PLATFORM $PYTHON_IMAGE >/dev/null 2>&1; then
    touch "$LAB/pulled"
    say "pulled $PYTHON_IMAGE for arm64"
    return 0
  fi
  make_python_image
}

up_arm64() {
  [ "$(id -u)" = 0 ] || unavailable "emulation and an engine of its own need root on Debian; run as root"
  install_packages
  make_bridge
  start_engine
  eval "$(print_env)"
  start_emulation
  provide_base_image
  local machine; machine=$(docker run --rm --network none $PYTHON_IMAGE python3 -c 'import platform; print(platform.machine())')
  [ "$machine" = aarch64 ] || unavailable "$PYTHON_IMAGE is for $machine; remove it: docker rmi $PYTHON_IMAGE"
  say "engine for arm64 ready at $SOCKET"
}

down_arm64() {
  down
  if [ -e /sys/class/net/$BRIDGE ]; then ip link delete $BRIDGE; fi
  if [ -e "$LAB/emulation-begun" ]; then
    echo -1 > $BINFMT/qemu-aarch64
    rm "$LAB/emulation-begun"
  fi
}

case "${1:-}" in
  up) up_arm64 ;;
  env) print_env ;;
  down) down_arm64 ;;
  *) sed -n '2,9p' "$0" | cut -c3-; exit 2 ;;
esac
