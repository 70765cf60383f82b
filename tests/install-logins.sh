#!/bin/sh
# Installs the mail servers, databases and the directory of the tests of logins from a source:
# docs/logins.md.
#
#   sh tests/install-logins.sh          install what is missing (Debian)
#   sh tests/install-logins.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service.
set -eu

# the command or file that must exist : its package
needs='
postmap:postfix
dovecot:dovecot-core
/usr/share/doc/dovecot-sqlite:dovecot-sqlite
/usr/share/doc/dovecot-mysql:dovecot-mysql
sqlite3:sqlite3
mariadbd:mariadb-server
slapd:slapd
ldapsearch:ldap-utils
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "all servers of the tests of logins are there"
