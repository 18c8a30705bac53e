#!/bin/sh
# A new key and certificate for a mail host, so that no DANE sender is turned away on the way: the next key is made
# first, its TLSA record is published and waited for, and only then the certificate is issued and put in place.
#
#   change-key.sh HOST ISSUE [ARGUMENT...]
#
# ISSUE is called as: ISSUE [ARGUMENT...] HOST CSR CHAIN, and writes the certificate and those above it to CHAIN:
# issue-with-certbot.sh, issue-with-acme-sh.sh and issue-with-lego.sh do so. Run it once a day; it waits for hours, and
# goes on where it was stopped.
#
# TLS_DIRECTORY (/etc/zonepost/tls/HOST) holds live.pem: key, certificate and chain in one file, as Postfix'
# smtpd_tls_chain_files wants it. Put today's key and certificate there before the first run. next.key is the key to come.
# RENEW_DAYS (30) before the end the key changes. RELOAD is how the mail server takes live.pem up.
# ZONEPOST_CONFIG (/etc/zonepost/zonepost.yaml) has the publish entry of the zone.
set -eu
umask 077

host=$1
shift
directory=${TLS_DIRECTORY:-/etc/zonepost/tls/$host}
live=$directory/live.pem
next=$directory/next.key

# What stands and what to do, from the name servers and port 25: 0 go on, 1 wait, 2 trouble, 3 could not tell.
tlsa_next() {
  zonepost tlsa next --host "$host" --publish --config "${ZONEPOST_CONFIG:-/etc/zonepost/zonepost.yaml}" "$@"
}

if [ ! -s "$live" ]; then
  echo "$live is missing: put the key and the certificate there that the server uses today" >&2
  exit 1
fi

# No change is under way, and none is due: see to the records of the live key, and to the old one that may go.
if [ ! -e "$next" ] && openssl x509 -in "$live" -noout -checkend "$((${RENEW_DAYS:-30} * 86400))" >/dev/null; then
  tlsa_next --key "$live" || [ "$?" -eq 1 ]
  exit 0
fi

# Under its name it is whole, or not there.
if [ ! -e "$next" ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$next.new"
  mv "$next.new" "$next"
fi

# Not one step further while any cache may hold records that the next key does not fit.
tlsa_next --key "$next" --current "$live" --wait

work=$(mktemp -d "$directory/issue.XXXXXX")
trap 'rm -rf "$work"' EXIT
openssl req -new -key "$next" -subj "/CN=$host" -addext "subjectAltName=DNS:$host" -out "$work/request.pem"
"$@" "$host" "$work/request.pem" "$work/chain.pem"

# The certificate has to be about this very key, whatever the client did.
openssl pkey -in "$next" -pubout -out "$work/key.pub"
openssl x509 -in "$work/chain.pem" -noout -pubkey >"$work/certificate.pub"
if ! cmp -s "$work/key.pub" "$work/certificate.pub"; then
  echo "the certificate that was issued is not for $next: nothing was changed" >&2
  exit 1
fi

# Issuing took its time: the records must still be there.
tlsa_next --key "$next" --current "$live"

# Key and chain change in one.
cat "$next" "$work/chain.pem" >"$live.new"
mv "$live.new" "$live"
rm "$next"
sh -c "${RELOAD:-postfix reload}"
