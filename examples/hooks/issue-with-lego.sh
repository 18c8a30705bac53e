#!/bin/sh
# issue-with-lego.sh [OPTION...] HOST CSR CHAIN, for change-key.sh
#
#   change-key.sh mail.example.org ./issue-with-lego.sh --email postmaster@example.org --http
#
# OPTIONs go to `lego run`, as lego 5 has it; lego 4 wants them, and --csr, in front of `run`. LEGO_PATH
# (/var/lib/zonepost/lego) is lego's folder with the account.
set -eu
options=$#
until [ "$options" -eq 3 ]; do
  set -- "$@" "$1"
  shift
  options=$((options - 1))
done
host=$1
csr=$2
chain=$3
shift 3
LEGO_PATH=${LEGO_PATH:-/var/lib/zonepost/lego}
export LEGO_PATH
# lego renews what it finds when it thinks that it is time; change-key.sh has decided already.
rm -f "$LEGO_PATH/certificates/$host".*
lego run --accept-tos --csr "$csr" "$@"
cp "$LEGO_PATH/certificates/$host.crt" "$chain"
