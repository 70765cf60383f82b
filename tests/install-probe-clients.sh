#!/bin/sh
# Installs Evolution, with what compiles tests/laboratory/evolution.c, for tests/laboratory/agreement.rs.
#
#   sh tests/install-probe-clients.sh          install what is missing (Debian)
#   sh tests/install-probe-clients.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service.
set -eu

# the command or file that must exist : its package
needs='
cc:gcc
pkg-config:pkg-config
dbus-run-session:dbus-daemon
evolution:evolution
/usr/include/evolution/mail/e-mail-autoconfig.h:evolution-dev
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "Evolution is there"
