#!/bin/sh
# Installs the old responders that tests/takeover takes over from, and what they run on.
#
#   sh tests/install-takeover.sh          install what is missing (Debian)
#   sh tests/install-takeover.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service. Programs from pip are
# installed below cargo's target directory, in the versions named here: the newest automx2, and the last
# one with the older form of seeds.
set -eu

automx2='2026.2 2026.0'

# the command or file that must exist : its package
needs='
nginx:nginx-light
apache2:apache2
/usr/share/doc/php-fpm:php-fpm
sqlite3:sqlite3
/usr/share/doc/python3-venv:python3-venv
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing

cd "$(dirname "$0")/.."
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
mkdir -p "$target/takeover"
for version in $automx2; do
    folder=$target/takeover/automx2-$version
    # The last file is written once it is complete.
    [ -e "$folder/complete" ] || {
        rm -rf "$folder"
        /usr/bin/python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --only-binary :all: "automx2==$version"
        touch "$folder/complete"
    }
done
echo "all old responders are there"
