#!/bin/sh
# issue-with-certbot.sh [OPTION...] HOST CSR CHAIN, for change-key.sh
#
#   change-key.sh mail.example.org ./issue-with-certbot.sh --webroot -w /var/www/html
#
# OPTIONs go to certbot. With --csr certbot keeps no lineage and renews nothing by itself: take the host out of
# `certbot renew`. It overwrites no file, so CHAIN must not exist yet.
set -eu
options=$#
until [ "$options" -eq 3 ]; do
  set -- "$@" "$1"
  shift
  options=$((options - 1))
done
csr=$2
chain=$3
shift 3
exec certbot certonly --non-interactive --agree-tos --csr "$csr" \
  --cert-path "$chain.certificate" --chain-path "$chain.above" --fullchain-path "$chain" "$@"
