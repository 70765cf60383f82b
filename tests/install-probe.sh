#!/bin/sh
# Installs the DNS and mail servers of tests/laboratory, beside what tests/install-tools.sh installs.
#
#   sh tests/install-probe.sh          install what is missing (Debian)
#   sh tests/install-probe.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service.
set -eu

# the command or file that must exist : its package
needs='
nsd:nsd
dovecot:dovecot-core
/usr/lib/dovecot/imap:dovecot-imapd
/usr/lib/dovecot/pop3:dovecot-pop3d
/usr/lib/dovecot/managesieve:dovecot-managesieved
postfix:postfix
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "all servers of the laboratory are there"
