#!/bin/sh
# Builds and tests with the oldest supported Rust: the rustc and cargo of Debian 13, in a Debian 13
# that debootstrap creates below target/msrv.
#
#   sh tests/msrv.sh            as root, or as a user who may create namespaces
#   MIRROR=URL sh tests/msrv.sh from another mirror than that of /etc/apt
#
# clippy's `incompatible_msrv` misses parts of the standard library, such as enum variants. All
# targets are built, and all tests are run except those that need web servers or cargo's cache, which
# are not there. The first run takes some minutes and 3 GB; later ones only build changes. No files
# outside of target/msrv are written.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

suite=trixie
place=target/msrv
root=$place/root

fail() {
    echo "$0: $*" >&2
    exit 1
}

# All mounts are in a separate mount namespace, and end with it.
if [ "${1-}" != --inside ]; then
    command -v debootstrap >/dev/null 2>&1 ||
        fail 'debootstrap is not installed: run sh tests/install-msrv.sh, as root'
    mkdir -p "$place"

    # The sources of all dependencies, fetched by the cargo of this machine.
    if ! cmp -s Cargo.lock "$place/vendor.of"; then
        rm -rf "$place/vendor" "$place/vendor.of"
        "${CARGO:-cargo}" vendor --locked --versioned-dirs "$place/vendor" >/dev/null
        cp Cargo.lock "$place/vendor.of"
    fi
    if [ "$(id -u)" -eq 0 ]; then in=; else in='--map-root-user --map-auto'; fi
    # shellcheck disable=SC2086 # several words
    exec unshare $in --mount --pid --fork --kill-child --mount-proc sh "$0" --inside
fi

mirror() {
    # The first Debian mirror of this machine, in either format of apt.
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
        2>/dev/null | tr ' ' '\n' | grep -E -m 1 '^https?://[^ ]*/debian/?$' ||
        echo http://deb.debian.org/debian
}

# The programs of tests/install-tools.sh except web servers, and those for the build.
servers='^(nginx.*|apache2|libapache2-.*|lighttpd|caddy|fcgiwrap|spawn-fcgi|haproxy)$'
packages=$(sh tests/install-tools.sh --list | grep -vE "$servers" | tr '\n' ' ')
packages="rustc cargo gcc libc6-dev make $packages"

# Created once. It is renamed at the end, so that an incomplete one is never used.
if [ "$(cat "$place/root.of" 2>/dev/null)" != "$suite $packages" ]; then
    rm -rf "$root" "$root.new" "$place/root.of"
    from=${MIRROR:-$(mirror)}
    echo "debootstrap: $suite from $from"
    # `container=lxc`: bind device files where they cannot be made, as in a user namespace.
    container=lxc debootstrap --variant=minbase \
        --include="$(echo $packages | tr ' ' ',')" "$suite" "$root.new" "$from" \
        >"$place/debootstrap.log" 2>&1 || {
        tail -n 5 "$place/debootstrap.log" >&2
        fail "debootstrap failed: $place/debootstrap.log has the rest; MIRROR=URL takes another mirror"
    }
    mkdir -p "$root.new/work" "$root.new/vendor" "$root.new/build" "$root.new/root/.cargo"
    rm -rf "$root.new"/var/cache/apt/archives/*.deb
    mv "$root.new" "$root"
    echo "$suite $packages" >"$place/root.of"
fi

cat >"$root/root/.cargo/config.toml" <<END
[source.crates-io]
replace-with = "vendor"
[source.vendor]
directory = "/vendor"
END
# A mount point, as `/` is one: tests make theirs private.
mount --bind "$root" "$root"
mount --bind -o ro . "$root/work"
mount --bind -o ro "$place/vendor" "$root/vendor"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

promised=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    CARGO_TARGET_DIR=/build CARGO_NET_OFFLINE=true sh -eu -c '
    cd /work
    rustc --version
    case $(rustc --version) in
    "rustc $1."*) ;;
    *) echo "Cargo.toml promises Rust $1" >&2 && exit 1 ;;
    esac
    cargo build --locked
    cargo build --locked --no-default-features --target-dir /build/plain
    cargo test --locked --all-targets --no-run
    cargo test --locked --lib
    cargo test --locked --test main -- --skip servers:: --skip conformance::apache \
        --skip conformance::caddy --skip conformance::haproxy --skip conformance::lighttpd \
        --skip conformance::nginx --skip conformance::spawn_fcgi --skip dist::
' sh "$promised"
