#!/bin/sh
# Installs the programs that the tests drive: web servers, launchers, validators.
#
#   sh tests/install-tools.sh          install what is missing (Debian, Ubuntu)
#   sh tests/install-tools.sh --list   print the packages, one per line
#
# Running it again is a quick no-op. The installation starts no service: the tests
# start each server themselves, in a network and mount namespace of their own.
set -eu

# what proves that it is there (a command, or a file) : the package that brings it
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
curl:curl
openssl:openssl
groff:groff-base
newuidmap:uidmap
xmllint:libxml2-utils
plistutil:libplist-utils
named-checkzone:bind9-utils
pkg-config:pkg-config
/usr/include/openssl/ssl.h:libssl-dev
'

if [ "${1-}" = --list ]; then
    printf '%s' "$needs" | sed -n 's/.*://p'
    exit 0
fi

# A plain user's PATH often lacks the directories where servers live.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=
for need in $needs; do
    proof=${need%:*}
    package=${need##*:}
    case $proof in
    /*) [ -e "$proof" ] || missing="$missing $package" ;;
    *) command -v "$proof" >/dev/null 2>&1 || missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "all test tools are there"
    exit 0
fi

command -v apt-get >/dev/null 2>&1 || {
    echo "install-tools.sh: no apt-get here; please install by hand:$missing" >&2
    exit 1
}
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null 2>&1 || {
        echo "install-tools.sh: run it as root; missing:$missing" >&2
        exit 1
    }
fi

# Debian starts a service as soon as it is installed, unless policy-rc.d says 101 ("not allowed").
# Whatever stood there before is put back, also when the installation fails.
policy=/usr/sbin/policy-rc.d
restore() {
    $as_root rm -f "$policy"
    if [ -e "$policy.before-tests" ]; then
        $as_root mv "$policy.before-tests" "$policy"
    fi
}
if [ -e "$policy" ]; then
    $as_root mv "$policy" "$policy.before-tests"
fi
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
$as_root chmod 755 "$policy"

$as_root apt-get -q update
# shellcheck disable=SC2086 # one word per package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
