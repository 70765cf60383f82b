#!/bin/sh
# Installs the peers and the tools of `make bench`: PHP, libfcgi, nginx, wrk, valgrind, strace.
#
#   sh tests/install-bench.sh          install what is missing (Debian)
#   sh tests/install-bench.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service: the benchmark starts
# each server itself, on sockets in its own directory.
set -eu

# the command or file that must exist : its package
needs='
nginx:nginx-light
/usr/share/doc/php-fpm:php-fpm
php-cgi:php-cgi
/usr/include/fcgiapp.h:libfcgi-dev
wrk:wrk
valgrind:valgrind
strace:strace
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
