#!/bin/sh
# Creates a root with Debian 13 and its web servers below target/, for tests with versions that
# Debian 12 does not have.
#
#   sh tests/install-debian13.sh       create it if it is missing (Debian, Ubuntu; as root)
#
# If it exists, nothing is done. To create it again, remove target/debian13.
set -eu

needs='
debootstrap:debootstrap
'

. "$(dirname "$0")/install-packages.sh"

root=${CARGO_TARGET_DIR:-target}/debian13
if [ -e "$root/usr/sbin/haproxy" ]; then
    echo "$root is there"
    exit 0
fi
install_missing
# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
rm -rf "$root.new"
mkdir -p "$root.new"
debootstrap --variant=minbase --include=apache2,haproxy,lighttpd,nginx-light trixie "$root.new" "${mirror:-http://deb.debian.org/debian}"
rm -rf "$root.new/var/cache/apt" "$root.new/var/lib/apt/lists"
mv "$root.new" "$root"
