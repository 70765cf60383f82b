#!/bin/sh
# Builds the packages and tries them in clean systems with systemd as the first process: Debian 12 and
# 13 of tests/install-roots.sh. `make test-packages` runs it, as root and in a clean checkout.
#
#   sh tests/packages/run.sh                  all
#   SUITES=trixie sh tests/packages/run.sh    one release
#   KEEP=1 sh tests/packages/run.sh           with the packages that are in target/packages
#
# Each system runs in systemd-nspawn with a network that has only a loopback interface; its changes are
# in memory and end with it.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# The tarball is not that of a release: it is compressed quickly.
export LC_ALL=C.UTF-8 CARGO="${CARGO:-cargo}" XZ='xz -0 -T0'

[ "$(id -u)" -eq 0 ] || {
    echo "$0: starting another system needs root" >&2
    exit 1
}
suites=${SUITES:-bookworm trixie}
place=$PWD/target/packages
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
. tests/packages/steps.sh

if [ -z "${KEEP-}" ]; then
    say 'source package'
    sh packaging/dist.sh >/dev/null
    sh packaging/deb.sh source >/dev/null
    rm -rf "$place"
    mkdir -p "$place"
    for suite in $suites; do
        build_deb "$suite"
    done
    build_rpm
fi
check_file_lists
for suite in $suites; do
    packages=$place/$suite
    say "$suite: install, upgrade, remove, purge"
    boot "$suite" clean
    inside sh -eu /tests/life.sh
    upgrade_keeps_the_socket
    stop
    say "$suite: after make install of an earlier version"
    boot "$suite" clean
    upgrade_of_make_install
    stop
    say "$suite: the service under systemd"
    boot "$suite" servers
    inside sh -eu /tests/service.sh
    restarts_refuse_no_request
    signing_key
    say "$suite: web servers"
    inside sh -eu /smoke
    conformance
    stop
    say "$suite: RPM"
    rpm_in_a_root
done
say 'packages: all passed'
