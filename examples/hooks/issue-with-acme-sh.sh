#!/bin/sh
# issue-with-acme-sh.sh [OPTION...] HOST CSR CHAIN, for change-key.sh
#
#   change-key.sh mail.example.org ./issue-with-acme-sh.sh --standalone
#
# OPTIONs go to acme.sh --sign-csr. --force: change-key.sh has decided that it is time. Take the host out of acme.sh's
# own renewals (acme.sh --remove), which would make another key each time.
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
acme.sh --sign-csr --csr "$csr" --force "$@"
# The key of the CSR is an EC key, for which acme.sh has a folder of its own.
acme.sh --install-cert --domain "$host" --ecc --fullchain-file "$chain"
