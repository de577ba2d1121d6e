#!/bin/bash
# Unpacks the servers, and the browser, that the tests run into ${POLYPOST_TEST_PEERS:-/opt/polypost-test-peers}.
#
# usage: install.sh        (root, Debian 12; safe to repeat, a second run returns at once)
#
# Dovecot and Courier exclude each other in dpkg, and a mail server installed as a service would start by itself. So the
# packages are only unpacked, with the libraries this machine lacks; the tests lay a prefix over /usr in a mount
# namespace of their own. PostgreSQL is unpacked in the same way unless its server binaries are already there.
set -euo pipefail

peers=${POLYPOST_TEST_PEERS:-/opt/polypost-test-peers}
export DEBIAN_FRONTEND=noninteractive

# The newest directory of PostgreSQL's server binaries, on this machine or else unpacked.
postgres_bin() {
  local bin
  for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$peers"/postgresql/usr/lib/postgresql/*/bin; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/psql" ]; then
      echo "$bin"
      return
    fi
  done
  return 1
}

complete() {
  local tool bin
  for tool in unshare nsenter setpriv mount perl; do command -v "$tool" >/dev/null || return 1; done
  bin=$(postgres_bin) || return 1
  [ -e "$peers/dovecot/.complete" ] && [ -e "$peers/courier/.complete" ] && [ -e "$peers/postfix/.complete" ] && [ -e "$peers/chromium/.complete" ] && [ -e "$(template "$bin")/.complete" ]
}

# template BIN: where a fresh cluster made by these binaries is kept, for the tests to copy.
template() {
  echo "$peers/postgres-template-$(basename "$(dirname "$1")")"
}

complete && exit 0
[ "$(id -u)" = 0 ] || { echo "install.sh: must run as root" >&2; exit 1; }
mkdir -p "$peers"
exec 9>"$peers/.lock"
flock 9
complete && exit 0

apt-cache show dovecot-imapd >/dev/null 2>&1 || apt-get -qq update
command -v perl >/dev/null || apt-get -qq install -y --no-install-recommends perl
command -v unshare >/dev/null && command -v nsenter >/dev/null && command -v setpriv >/dev/null && command -v mount >/dev/null ||
  apt-get -qq install -y --no-install-recommends util-linux mount

# Names of the packages that installing "$@" would add here. Upgrades (a version in brackets) are left out: what is
# installed will do. So is the mail transport agent that courier-base asks for.
missing() {
  apt-get -s install --no-install-recommends "$@" 2>/dev/null |
    sed -nE 's/^Inst ([^ ]+) \(.*/\1/p' | grep -vE '^(exim4|gnutls-bin|bsd-mailx)' || true
}

# unpack NAME PACKAGE...: the named packages and what they lack, into $peers/NAME.
unpack() {
  local name=$1 prefix=$peers/$1 work top deb
  shift
  [ -e "$prefix/.complete" ] && return
  work=$(mktemp -d)
  chmod 755 "$work"
  chown _apt "$work" 2>/dev/null || true # the user that apt downloads as
  (
    cd "$work"
    mapfile -t packages < <({ printf '%s\n' "$@"; missing "$@"; } | sort -u)
    apt-get -qq download "${packages[@]}" || { apt-get -qq update && apt-get -qq download "${packages[@]}"; }
  )
  rm -rf "$prefix"
  mkdir -p "$prefix"
  for deb in "$work"/*.deb; do dpkg -x "$deb" "$prefix"; done
  rm -rf "$work"
  # Only /usr is laid over the machine's: on a merged /usr the old top directories are links into it.
  for top in bin sbin lib lib64; do
    if [ -d "$prefix/$top" ] && [ ! -L "$prefix/$top" ]; then
      mkdir -p "$prefix/usr/$top"
      cp -a "$prefix/$top/." "$prefix/usr/$top/"
      rm -rf "${prefix:?}/$top"
    fi
  done
  touch "$prefix/.complete"
}

# initdb takes seconds on a busy machine and its result is always the same. PostgreSQL refuses to run as root.
make_template() {
  local bin to prefix=
  bin=$(postgres_bin)
  to=$(template "$bin")
  [ -e "$to/.complete" ] && return
  case $bin in "$peers"/*) prefix=$peers/postgresql ;; esac
  rm -rf "$to"
  mkdir -p "$to/data"
  chown nobody "$to/data"
  unshare --mount --propagation private bash -euc '
    [ -z "$1" ] || mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr
    cd /
    setpriv --reuid=nobody --regid=nogroup --clear-groups "${2#"$1"}/initdb" -D "$3/data" -U postgres -A trust -E UTF8 \
      --no-locale --no-sync --no-instructions >/dev/null
  ' bash "$prefix" "$bin" "$to"
  touch "$to/.complete"
}

unpack dovecot dovecot-core dovecot-imapd
unpack courier courier-imap courier-base courier-authlib courier-authdaemon courier-authlib-userdb libcourier-unicode4
unpack postfix postfix dovecot-core
unpack chromium chromium chromium-driver fontconfig-config fonts-dejavu-core
postgres_bin >/dev/null || unpack postgresql postgresql-15 postgresql-client-15
make_template
echo "test servers are in $peers"
