#!/bin/sh
# Creates a root with Debian 12, systemd and the web and mail servers below target/, which the tests of the
# documentation start as a machine of its own.
#
#   sh tests/install-machine.sh        create it if it is missing (Debian; as root)
#
# If it exists, nothing is done. To create it again, remove target/machine.
set -eu

needs='
debootstrap:debootstrap
systemd-nspawn:systemd-container
'

. "$(dirname "$0")/install-packages.sh"

# Also what README.md says must be there: make, a C compiler, OpenSSL with its headers.
packages=systemd,systemd-sysv,dbus,sudo,ca-certificates,curl,openssl,iproute2,git,xz-utils,python3,\
make,gcc,libc6-dev,pkg-config,libssl-dev,man-db,\
nginx-light,fcgiwrap,apache2,libapache2-mod-fcgid,lighttpd,caddy,haproxy,h2o,spawn-fcgi,\
checkpolicy,semodule-utils,postfix,dovecot-core,sqlite3

cd "$(dirname "$0")/.."
root=${CARGO_TARGET_DIR:-target}/machine
install_missing
if [ -e "$root/usr/sbin/haproxy" ] && [ -e "$root/usr/sbin/dovecot" ] && [ -e "$root/usr/bin/sqlite3" ]; then
    echo "$root is there"
    exit 0
fi
# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
rm -rf "$root.new" "$root"
mkdir -p "$root.new"
debootstrap --variant=minbase --include="$packages" bookworm "$root.new" "${mirror:-http://deb.debian.org/debian}"
rm -rf "$root.new/var/cache/apt" "$root.new/var/lib/apt/lists"
# Each test starts the server that its page is about.
for service in nginx apache2 lighttpd caddy haproxy h2o fcgiwrap postfix dovecot; do
    chroot "$root.new" systemctl disable "$service.service" "$service.socket" 2>/dev/null || true
done
mv "$root.new" "$root"
