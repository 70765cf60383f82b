#!/bin/sh
# Installs the programs that the tests run: web servers, launchers, validators.
#
#   sh tests/install-tools.sh          install what is missing (Debian, Ubuntu)
#   sh tests/install-tools.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service: the tests start each
# server themselves, in a separate network and mount namespace.
set -eu

# the command or file that must exist : its package
needs='
nginx:nginx-light
apache2:apache2
/usr/lib/apache2/modules/mod_fcgid.so:libapache2-mod-fcgid
lighttpd:lighttpd
caddy:caddy
fcgiwrap:fcgiwrap
spawn-fcgi:spawn-fcgi
systemd-socket-activate:systemd
ip:iproute2
rsync:rsync
git:git
python3:python3
xz:xz-utils
unzip:unzip
strip:binutils
curl:curl
jq:jq
openssl:openssl
sqlite3:sqlite3
groff:groff-base
newuidmap:uidmap
xmllint:libxml2-utils
plistutil:libplist-utils
named-checkzone:bind9-utils
pkg-config:pkg-config
/usr/include/openssl/ssl.h:libssl-dev
/usr/share/doc/python3-seccomp:python3-seccomp
/usr/share/doc/python3-jsonschema:python3-jsonschema
/usr/share/doc/libfaketime:libfaketime
haproxy:haproxy
/usr/lib/apache2/suexec-custom:apache2-suexec-custom
php-cgi:php-cgi
checkmodule:checkpolicy
semodule_package:semodule-utils
'

# Debian 13 has no h2o; its tests are left out there, and say so.
if ! grep -qs '^VERSION_ID="13"' /etc/os-release; then
    needs="$needs
h2o:h2o
"
fi

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "all test tools are there"
