#!/bin/sh
# Installs the tools for the test of the page for mailbox owners: a browser, node to control it,
# and fonts for all of its languages.
#
#   sh tests/install-page.sh          install what is missing (Debian)
#   sh tests/install-page.sh --list   print the packages, one per line
set -eu

# the command or file that must exist : its package
needs='
chromium:chromium
node:nodejs
npm:npm
/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk
/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf:fonts-noto-core
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "browser, node and fonts are there"
