#!/bin/sh
# Installs the tools that tests/debian13.sh needs on this machine.
#
#   sh tests/install-debian13.sh          install what is missing (Debian, Ubuntu)
#   sh tests/install-debian13.sh --list   print the packages, one per line
set -eu

# the command or file that must exist : its package
needs='
debootstrap:debootstrap
unshare:util-linux
newuidmap:uidmap
/usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "debootstrap is there"
