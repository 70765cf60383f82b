#!/bin/sh
# Installs the DNS servers and programs that take the formats of `mailsetup dns`, beside what
# tests/install-tools.sh installs. octoDNS is installed by pip below cargo's target directory, in the
# versions named here.
#
#   sh tests/install-dns.sh          install what is missing (Debian)
#   sh tests/install-dns.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service.
set -eu

octodns=1.22.0
octodns_bind=1.1.0

# the command or file that must exist : its package
needs='
named:bind9
nsupdate:bind9-dnsutils
knotd:knot
knsupdate:knot-dnsutils
pdns_server:pdns-server
/usr/share/doc/pdns-backend-sqlite3:pdns-backend-sqlite3
sqlite3:sqlite3
/usr/share/doc/python3-venv:python3-venv
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing

cd "$(dirname "$0")/.."
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

# Built under another name and renamed once it is complete; a virtual environment runs from any
# place if its programs are started by Python.
if ! [ -e "$target/octodns-$octodns" ]; then
    rm -rf "$target/octodns.new"
    mkdir -p "$target"
    /usr/bin/python3 -m venv "$target/octodns.new"
    "$target/octodns.new/bin/pip" install --quiet "octodns==$octodns" "octodns-bind==$octodns_bind"
    mv "$target/octodns.new" "$target/octodns-$octodns"
fi
echo "all DNS servers and programs are there"
