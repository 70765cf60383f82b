#!/bin/sh
# Creates clean Debian 12 and 13 systems below target/roots, in which `make test-packages` builds,
# installs and runs the packages; and installs what that needs on this machine.
#
#   sh tests/install-roots.sh          create what is missing (Debian, Ubuntu; as root)
#   sh tests/install-roots.sh --list   print the packages of this machine, one per line
#
# For each release: `clean` has systemd and nothing else, `servers` has web servers, too, and `build`
# what debian/control requires. To create them again, remove target/roots.
set -eu
cd "$(dirname "$0")/.."

needs='
debootstrap:debootstrap
systemd-nspawn:systemd-container
nsenter:util-linux
rpmbuild:rpm
rpmlint:rpmlint
checkmodule:checkpolicy
semodule_package:semodule-utils
openssl:openssl
python3:python3
xz:xz-utils
git:git
make:make
/usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
'

. tests/install-packages.sh

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing

# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}
roots=target/roots

# Runs apt-get in a root, with the network of this machine and without starting services.
in_root() {
    place=$1
    shift
    printf '#!/bin/sh\nexit 101\n' >"$place/usr/sbin/policy-rc.d"
    chmod 755 "$place/usr/sbin/policy-rc.d"
    systemd-nspawn --quiet --register=no --keep-unit --resolv-conf=replace-host --console=pipe --as-pid2 \
        --setenv=DEBIAN_FRONTEND=noninteractive -D "$place" \
        sh -ec 'apt-get -q update
            apt-get -q -y --no-install-recommends "$@"
            apt-get clean' sh "$@"
    rm "$place/usr/sbin/policy-rc.d"
    : >"$place/etc/resolv.conf"
}

# Each root gets its name at the end, so that an incomplete one is never used.
create() {
    suite=$1
    mkdir -p "$roots/$suite"
    cd "$roots/$suite"
    if ! [ -e clean ]; then
        rm -rf clean.new
        debootstrap --variant=minbase --include=systemd,systemd-sysv,init-system-helpers \
            "$suite" clean.new "$mirror"
        rm -rf clean.new/var/cache/apt/archives/*.deb
        mv clean.new clean
    fi
    if ! [ -e servers ]; then
        rm -rf servers.new
        cp -a clean servers.new
        in_root servers.new install nginx apache2 lighttpd curl procps
        systemctl --root="$PWD/servers.new" --quiet disable nginx.service apache2.service \
            lighttpd.service
        mv servers.new servers
    fi
    if ! [ -e build ]; then
        rm -rf build.new
        cp -a clean build.new
        mkdir build.new/source
        cp -R ../../../packaging/debian build.new/source/debian
        # build-dep reads the control file, and a changelog to find the package.
        in_root build.new install lintian blhc dpkg-dev
        in_root build.new build-dep /source
        rm -rf build.new/source
        mv build.new build
    fi
}

# Two releases at a time.
logs=
for suite in bookworm trixie; do
    mkdir -p "$roots"
    (create "$suite") >"$roots/$suite.log" 2>&1 &
    logs="$logs $!:$suite"
done
for job in $logs; do
    wait "${job%:*}" || {
        tail -n 30 "$roots/${job#*:}.log" >&2
        echo "$0: $roots/${job#*:}.log has the rest" >&2
        exit 1
    }
done
echo "the roots are in $roots"
