#!/bin/sh
# Installs what `make static` needs for musl: its C compiler and Rust's standard library for it.
#
#   sh tests/install-static.sh          install what is missing (Debian; Rust by rustup)
#   sh tests/install-static.sh --list   print the packages, one per line
set -eu

# the command or file that must exist : its package
needs='
musl-gcc:musl-tools
perl:perl
readelf:binutils
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
target=$(uname -m)-unknown-linux-musl
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    rustup target add "$target"
fi
echo "musl is there"
