#!/bin/sh
# For ACME clients that make their own new key at each renewal: the client renews in its own folder, and the mail
# server reads another file, which this hook changes once DNS is ready. It may wait for hours.
#
#   certbot renew --deploy-hook 'HOST=mail.example.org /path/deploy-hook.sh'
#   lego run ... --deploy-hook /path/deploy-hook.sh                               with HOST in the environment
#   acme.sh --install-cert -d mail.example.org --key-file K --fullchain-file F \
#     --reloadcmd 'HOST=mail.example.org /path/deploy-hook.sh K F'
#
# If it fails or is stopped, the old certificate stays in use: run it again by hand, with the two files as arguments.
# The mail server must read TLS_DIRECTORY/live.pem (/etc/zonepost/tls/HOST), and not the client's folder: there the
# new key would be in use at once. With certbot --reuse-key the key stays, and no hook is needed.
set -eu
umask 077

host=${HOST:?say which mail host this is for}
directory=${TLS_DIRECTORY:-/etc/zonepost/tls/$host}
live=$directory/live.pem

if [ "$#" -eq 2 ]; then
  key=$1
  chain=$2
elif [ -n "${RENEWED_LINEAGE:-}" ]; then
  # certbot
  key=$RENEWED_LINEAGE/privkey.pem
  chain=$RENEWED_LINEAGE/fullchain.pem
elif [ -n "${LEGO_HOOK_CERT_KEY_PATH:-}" ]; then
  # lego 5
  key=$LEGO_HOOK_CERT_KEY_PATH
  chain=$LEGO_HOOK_CERT_PATH
elif [ -n "${LEGO_CERT_KEY_PATH:-}" ]; then
  # lego 4
  key=$LEGO_CERT_KEY_PATH
  chain=$LEGO_CERT_PATH
else
  echo "say where they are: deploy-hook.sh KEY CHAIN" >&2
  exit 64
fi

# certbot runs hooks for every certificate that it has renewed.
if ! openssl x509 -in "$chain" -noout -checkhost "$host" | grep -q 'does match'; then
  exit 0
fi

set -- --host "$host" --key "$key"
if [ -s "$live" ]; then set -- "$@" --current "$live"; fi
zonepost tlsa next "$@" --publish --config "${ZONEPOST_CONFIG:-/etc/zonepost/zonepost.yaml}" --wait

cat "$key" "$chain" >"$live.new"
mv "$live.new" "$live"
sh -c "${RELOAD:-postfix reload}"
