#!/bin/sh
# Creates roots with Debian 12 and Debian 13, each with the mail servers, the database and the web
# server of a mail host, below target/init; `make test-init` lets `mailsetup init` move in there.
#
#   sh tests/install-init.sh          create what is missing (Debian; as root)
#   sh tests/install-init.sh --list   print the packages of this machine, one per line
#
# To create them again, remove target/init.
set -eu

needs='
debootstrap:debootstrap
/usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing

packages=ca-certificates,dovecot-imapd,dovecot-lmtpd,dovecot-managesieved,dovecot-mysql,\
mariadb-server,nginx-light,postfix,postfix-mysql

cd "$(dirname "$0")/.."
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
roots=$target/init
mkdir -p "$roots"
# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}

# A root gets its name at the end, so that an incomplete one is never used.
create() {
    suite=$1
    rm -rf "$roots/$suite.new"
    debootstrap --variant=minbase --include="$packages" "$suite" "$roots/$suite.new" "$mirror"
    rm -rf "$roots/$suite.new/var/cache/apt" "$roots/$suite.new/var/lib/apt/lists"
    mv "$roots/$suite.new" "$roots/$suite"
}

jobs=
for suite in bookworm trixie; do
    [ ! -e "$roots/$suite" ] || continue
    create "$suite" >"$roots/$suite.log" 2>&1 &
    jobs="$jobs $!:$suite"
done
for job in $jobs; do
    wait "${job%:*}" || {
        tail -n 30 "$roots/${job#*:}.log" >&2
        echo "$0: $roots/${job#*:}.log has the rest" >&2
        exit 1
    }
done
echo "the roots are in $roots"
