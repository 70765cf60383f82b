#!/bin/sh
# Installs the databases of the tests of domains from databases: docs/domains-from-databases.md.
#
#   sh tests/install-tables.sh          install what is missing (Debian)
#   sh tests/install-tables.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service.
set -eu

# the command or file that must exist : its package
needs='
mariadbd:mariadb-server
psql:postgresql-client
/usr/share/doc/postgresql:postgresql
sqlite3:sqlite3
shellcheck:shellcheck
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "all databases of the tests of domains are there"
