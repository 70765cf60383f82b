#!/bin/sh
# Installs what `make bench` compares with, and what measures: PHP, libfcgi, nginx, wrk, valgrind.
#
#   sh tests/install-bench.sh          install what is missing (Debian)
#   sh tests/install-bench.sh --list   print the packages, one per line
#
# Running it again is a quick no-op. The installation starts no service: the benchmark starts each
# server itself, on sockets in a directory of its own.
set -eu

# what proves that it is there (a command, or a file) : the package that brings it
needs='
nginx:nginx-light
/usr/share/doc/php-fpm:php-fpm
php-cgi:php-cgi
/usr/include/fcgiapp.h:libfcgi-dev
wrk:wrk
valgrind:valgrind
cc:gcc
/usr/include/stdio.h:libc6-dev
taskset:util-linux
openssl:openssl
pkg-config:pkg-config
/usr/include/openssl/ssl.h:libssl-dev
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "everything for the benchmark is there"
