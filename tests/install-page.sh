#!/bin/sh
# Installs what looks at the page for mailbox owners: a browser, and node to drive it.
#
#   sh tests/install-page.sh          install what is missing (Debian)
#   sh tests/install-page.sh --list   print the packages, one per line
set -eu

# what proves that it is there (a command, or a file) : the package that brings it
needs='
chromium:chromium
node:nodejs
npm:npm
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "browser and node are there"
