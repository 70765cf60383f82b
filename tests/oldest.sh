#!/bin/sh
# Builds with and without signing, and runs all tests, with the rustc and cargo in PATH, which must be
# the oldest version that Cargo.toml supports. clippy's `incompatible_msrv` misses parts of the
# standard library, such as enum variants. `make test-debian13` runs this in a Debian 13.
set -eu
cd "$(dirname "$0")/.."

promised=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rustc --version
case $(rustc --version) in
"rustc $promised."*) ;;
*) echo "Cargo.toml promises Rust $promised" >&2 && exit 1 ;;
esac
cargo build --locked -p mailsetup --no-default-features --target-dir "${CARGO_TARGET_DIR:-target}/plain"
make test
# The rest: benchmarks, mail clients, the soak test.
cargo test --locked --all-targets --no-run
