#!/bin/sh
# Creates a root with Debian 11 and its Apache below target/: an old system, on which the static
# program must run.
#
#   sh tests/install-debian11.sh       create it if it is missing (Debian, Ubuntu; as root)
#
# If it exists, nothing is done. To create it again, remove target/debian11.
set -eu

needs='
debootstrap:debootstrap
chroot:coreutils
readelf:binutils
'

. "$(dirname "$0")/install-packages.sh"

root=${CARGO_TARGET_DIR:-target}/debian11
if [ -e "$root/usr/lib/apache2/suexec-custom" ]; then
    echo "$root is there"
    exit 0
fi
install_missing
# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
rm -rf "$root.new"
mkdir -p "$root.new"
debootstrap --variant=minbase --include=apache2,apache2-suexec-custom,libapache2-mod-fcgid,php-cgi bullseye "$root.new" "${mirror:-http://deb.debian.org/debian}"
rm -rf "$root.new/var/cache/apt" "$root.new/var/lib/apt/lists"
mv "$root.new" "$root"
