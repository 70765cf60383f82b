#!/bin/sh
# Builds and installs the tarball below target/dist as a packager does: without network, and with a
# CARGO_HOME that has no crates. The programs record their crates, which must be those of the lists
# beside the tarball. `make dist-check` runs it, after `make dist` and the installation of
# cargo-auditable.
#
#   CARGO=cargo sh packaging/check.sh
#
# The work is done below target/dist-check, which is removed at the end.
set -eu
cd "$(dirname "$0")/.."

place=$PWD/target/dist-check
rm -rf "$place"
mkdir -p "$place/cargo-home"
# The files are checked, not the optimisation, which takes most of the time.
cat >"$place/cargo-home/config.toml" <<END
[profile.release]
lto = "off"
codegen-units = 16
opt-level = 0
[profile.release.package."*"]
opt-level = 0
END
(cd target/dist && sha256sum --check --quiet SHA256SUMS)
tar -C "$place" -xf target/dist/mailsetup-*.tar.xz
cd "$place"/mailsetup-*

# `rustup` finds its toolchain elsewhere; a target folder of the caller would have results.
unset CARGO_TARGET_DIR
# cargo searches its own folder for cargo-auditable, which is another one now.
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
export CARGO_HOME="$place/cargo-home" CARGO_NET_OFFLINE=true
make build CARGO="$CARGO auditable"
make install DESTDIR="$place/stage" prefix=/usr
"$place/stage/usr/bin/mailsetup" probe --version
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
for program in mailsetup mailsetup-probe; do
    "$place/stage/usr/bin/$program" --version
    python3 packaging/auditable.py "$place/stage/usr/bin/$program" \
        "$place/../dist/$program-$version.cdx.json"
done
cd "$place/.."
rm -rf "$place"
