#!/bin/sh
# Runs a command in a Debian 13 that debootstrap creates below target/debian13, in the folder of the
# project: what works there works for a newcomer with that release.
#
#   sh tests/debian13.sh COMMAND [ARGUMENT...]
#
# As root, or as a user who may create namespaces. The root is created once, with a compiler and the
# rustc and cargo of Debian 13; the tests install what else they need, as on any machine. To create
# it again, remove target/debian13. These change that:
#
#   MIRROR=URL    another Debian mirror than that of /etc/apt
#   RUST=host     the Rust of this machine instead of that of Debian 13
#
# Crates that cargo's cache of this machine has are not downloaded again. No files outside of
# target/debian13 are written: the project is read-only inside.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

suite=trixie
place=target/debian13
root=$place/root

fail() {
    echo "$0: $*" >&2
    exit 1
}

# All mounts are in a separate mount namespace, and end with it.
if [ "${1-}" != --inside ]; then
    [ $# -gt 0 ] || fail 'no command'
    command -v debootstrap >/dev/null 2>&1 ||
        fail 'debootstrap is not installed: run sh tests/install-debian13.sh, as root'
    crates=${CARGO_HOME:-$HOME/.cargo}/registry
    mkdir -p "$crates" "$place/crates" "$place/crates.work"
    rust=
    if [ "${RUST-}" = host ]; then rust=$(rustc --print sysroot); fi
    if [ "$(id -u)" -eq 0 ]; then in=; else in='--map-root-user --map-auto'; fi
    # shellcheck disable=SC2086 # several words
    exec unshare $in --mount --pid --fork --kill-child --mount-proc \
        sh "$0" --inside "$crates" "$rust" "$@"
fi
crates=$2 rust=$3
shift 3

mirror() {
    # The first mirror of this machine for `debian` or `debian-security`, in either format of apt.
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
        2>/dev/null | tr ' ' '\n' | grep -E -m 1 "^https?://[^ ]*/$1/?\$" ||
        echo "http://deb.debian.org/$1"
}

# Renamed at the end, so that an incomplete one is never used.
if ! [ -d "$root" ]; then
    rm -rf "$root.new"
    from=${MIRROR:-$(mirror debian)}
    echo "debootstrap: $suite from $from"
    # `container=lxc`: bind device files where they cannot be made, as in a user namespace.
    container=lxc debootstrap --variant=minbase \
        --include=ca-certificates,cargo,gcc,git,libc6-dev,make,rustc "$suite" "$root.new" "$from" \
        >"$place/debootstrap.log" 2>&1 || {
        tail -n 5 "$place/debootstrap.log" >&2
        fail "debootstrap failed: $place/debootstrap.log has the rest; MIRROR=URL takes another mirror"
    }
    mkdir -p "$root.new/work" "$root.new/build" "$root.new/opt/rust" "$root.new/root/.cargo/registry"
    rm -rf "$root.new"/var/cache/apt/archives/*.deb
    # With security updates, as on any machine; some are newer releases, such as that of Thunderbird.
    echo "deb $(mirror debian-security) $suite-security main" >>"$root.new/etc/apt/sources.list"
    # Packages can be installed again: no time is spent on writing them safely.
    echo force-unsafe-io >"$root.new/etc/dpkg/dpkg.cfg.d/unsafe-io"
    # A user namespace has no other user for downloads.
    echo 'APT::Sandbox::User "root";' >"$root.new/etc/apt/apt.conf.d/sandbox"
    mv "$root.new" "$root"
fi

# Downloads inside trust whom this machine trusts, for example a proxy.
authorities=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$authorities" ] || cp "$authorities" "$root$authorities"
# A mount point, as `/` is one: tests make theirs private.
mount --bind "$root" "$root"
mount --bind -o ro . "$root/work"
mount -t overlay -o "lowerdir=$crates,upperdir=$place/crates,workdir=$place/crates.work" \
    overlay "$root/root/.cargo/registry"
[ -z "$rust" ] || mount --bind -o ro "$rust" "$root/opt/rust"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
exec chroot "$root" /usr/bin/env -i PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 CARGO_TARGET_DIR=/build CARGO_INCREMENTAL=0 sh -c 'cd /work && exec "$@"' sh "$@"
