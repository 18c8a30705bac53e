#!/bin/sh
# Installs the real servers that the tests talk to, from the distribution's packages. On Debian as root only;
# elsewhere it says what is missing and lets the tests skip what needs it (with CI=true they fail).
set -eu
missing=
need() { # need PROGRAM PACKAGE
  PATH="$PATH:/usr/sbin:/sbin:/usr/lib/dovecot:/usr/libexec/dovecot:$(echo /usr/lib/postgresql/*/bin | tr " " :)" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need named bind9
need named-compilezone bind9-utils
need dig bind9-dnsutils
need knotd knot
need pdns_server "pdns-server pdns-backend-sqlite3"
need sqlite3 sqlite3
need unbound unbound
need ip iproute2
need postfix postfix
need dovecot dovecot-core
need imap-login dovecot-imapd
need pop3-login dovecot-pop3d
need managesieve-login dovecot-managesieved
need nginx nginx-light
need opendkim opendkim
need opendkim-genkey opendkim-tools
need dkimpy-milter dkimpy-milter
need rspamadm rspamd
need amavisd amavisd-new
need initdb postgresql
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "zonepost: tests against real servers need:$missing (not installed: this is not root on Debian)" >&2
  exit 0
fi
# no package may start a daemon here
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
echo "zonepost: installing the servers that the tests talk to:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends $missing >/dev/null
