#!/usr/bin/env bash
# Writes the part of nginx's configuration that depends on settings, then becomes nginx.
# `start.sh --print` shows that part instead. Settings (environment):
#   GATEWAY_PORT      80; with TLS it only sends people on to GATEWAY_TLS_PORT (443)
#   BIND_ADDRESS      0.0.0.0; `::` is IPv6 and IPv4
#   ALLOW_CIDR        networks that may connect, by commas; empty with TLS means everybody
#   CAMFLEET_TLS_CERT, CAMFLEET_TLS_KEY    PEM files: speak TLS
#   PAGE_ADDRESS, JUPYTER_ADDRESS          http://127.0.0.1:5000 and :8888, or what STREAMER_PORT and JUPYTER_PORT say
# On a balena device (BALENA=1) connections of the public device URL come in through balena's VPN from
# BALENA_VPN_GATEWAY; they were HTTPS on the way to it.
set -euo pipefail

PORT=${GATEWAY_PORT:-80} TLS_PORT=${GATEWAY_TLS_PORT:-443} BIND=${BIND_ADDRESS:-0.0.0.0}
CERT=${CAMFLEET_TLS_CERT:-} KEY=${CAMFLEET_TLS_KEY:-} NETWORKS=${ALLOW_CIDR:-}
PAGE=${PAGE_ADDRESS:-http://127.0.0.1:${STREAMER_PORT:-5000}}
JUPYTER=${JUPYTER_ADDRESS:-http://127.0.0.1:${JUPYTER_PORT:-8888}}
HERE=$BIND
case "$BIND" in 0.0.0.0|::) HERE=127.0.0.1 ;; esac
VPN=$([ "${BALENA:-}" = 1 ] && echo "${BALENA_VPN_GATEWAY:-52.4.252.97}" || true)

refuse() { echo "gateway: $*" >&2; exit 1; }
speaks_tls() { [ -n "$CERT" ] && [ -n "$KEY" ]; }

check_settings() {
  case "$BIND" in 127.*|::1) return 0 ;; esac
  speaks_tls || [ -n "$NETWORKS" ] || refuse "refusing to listen on $BIND: set CAMFLEET_TLS_CERT and CAMFLEET_TLS_KEY," \
    "or ALLOW_CIDR=<networks where clear text is accepted>"
}

check_ports() {
  local port
  for port in "$PORT" $(speaks_tls && echo "$TLS_PORT"); do
    if (exec 3<>"/dev/tcp/$HERE/$port") 2>/dev/null; then
      refuse "port $port is taken on this box: end what holds it, or set GATEWAY_PORT (GATEWAY_TLS_PORT) to another one;" \
        "the rest of the fleet runs without the gateway (page on ${STREAMER_PORT:-5000}, JupyterLab on ${JUPYTER_PORT:-8888})"
    fi
  done
}

allowed_networks() {
  local network
  [ -n "$NETWORKS" ] || return 0
  for network in ${NETWORKS//,/ }; do echo "allow $network;"; done
  echo "allow 127.0.0.0/8;"
  echo "allow ::1;"
  [ -z "$VPN" ] || echo "allow $VPN;"
  echo "deny all;"
}

settings() {
  echo "geo \$remote_addr \$by_public_url { default 0; ${VPN:+$VPN 1;} }"
  echo "map \$host \$page { default $PAGE; }"
  echo "map \$host \$jupyter { default $JUPYTER; }"
  # Names of services (compose/bridge.yml) are asked for anew, as a service that is made anew has another address.
  awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print "resolver " $2 " valid=10s;"; exit }' /etc/resolv.conf
}

listen() {   # listen PORT [ssl]
  case "$BIND" in
    ::) echo "listen 0.0.0.0:$1${2:+ $2}; listen [::]:$1${2:+ $2};" ;;   # so that IPv4 addresses look like it
    *:*) echo "listen [$BIND]:$1${2:+ $2};" ;;
    *) echo "listen $BIND:$1${2:+ $2};" ;;
  esac
}

listeners() {
  if speaks_tls; then
    echo "$(listen "$TLS_PORT" ssl) ssl_certificate $CERT; ssl_certificate_key $KEY; ssl_protocols TLSv1.2 TLSv1.3;"
  else
    listen "$PORT"
  fi
}

sending_on() {
  speaks_tls || return 0
  echo "server { $(listen "$PORT") location = /healthz { return 200 ok; }"
  echo "location / { return 308 https://\$host$([ "$TLS_PORT" = 443 ] || echo ":$TLS_PORT")\$request_uri; } }"
}

check_settings
if [ "${1:-}" = --print ]; then settings; listeners; allowed_networks; sending_on; exit 0; fi
check_ports
mkdir -p /tmp/gateway
settings > /tmp/gateway/settings.conf
{ listeners; allowed_networks; } > /tmp/gateway/server.conf
sending_on > /tmp/gateway/sending-on.conf
echo "gateway: listening on $BIND:$PORT${CERT:+ and, with TLS, $BIND:$TLS_PORT}; page at $PAGE, JupyterLab at $JUPYTER" >&2
exec nginx -c /usr/share/gateway/nginx.conf
