# Exit status 0 while the gateway answers; it always listens on GATEWAY_PORT, with TLS to send people on.
here=${BIND_ADDRESS:-0.0.0.0}
case "$here" in 0.0.0.0|::) here=127.0.0.1 ;; esac
exec 3<>"/dev/tcp/$here/$GATEWAY_PORT" || exit 1
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ] || { echo "gateway answers ${status:-nothing}"; exit 1; }
