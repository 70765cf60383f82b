#!/bin/sh
# Makes the release below target/dist: a source tarball with all dependencies, for each of the two
# programs the list of those that end up in it (CycloneDX), and checksums. `make dist` runs it.
#
#   CARGO=cargo XZ='xz -6 -T1' sh packaging/dist.sh
#
# The same commit gives the same bytes in any directory, for any user and umask, as long as the
# versions of cargo, tar and xz are the same. A crate that is not in cargo's cache is downloaded;
# with CARGO_NET_OFFLINE=true that is an error.
#
# Refuses to run outside of a git checkout of the project, and with changes that are not committed.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "$0: $*" >&2
    exit 1
}

for tool in git tar python3 "${XZ%% *}"; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed"
done
# An unpacked tarball may lie within another checkout.
[ "$(git rev-parse --show-cdup || echo none)" = '' ] ||
    fail 'not a git checkout: a release is made from a commit'
changes=$(git status --porcelain --untracked-files=all)
[ -z "$changes" ] || fail "commit or remove these changes first; a release has only what is committed:
$changes"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
name=mailsetup-$version
programs='mailsetup mailsetup-probe'
place=target/dist
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c log.showSignature=false log -1 --format=%ct)}
export LC_ALL=C
# Options for xz from the environment change the bytes.
unset XZ_DEFAULTS XZ_OPT TAR_OPTIONS

# Other files of a release stay.
rm -rf "$place/$name" "$place/$name.tar" "$place/$name.tar.xz" "$place/SHA256SUMS" "$place/cargo-home"
for program in $programs; do rm -f "$place/$program-$version.cdx.json"; done
mkdir -p "$place/$name/.cargo"
# Settings of the user do not change the files.
git -c core.autocrlf=false -c core.eol=lf -c core.attributesFile=/dev/null \
    archive --format=tar -o "$place/head.tar" HEAD
tar -C "$place/$name" -xf "$place/head.tar"
rm "$place/head.tar"

(
    cd "$place/$name"
    "$CARGO" vendor --quiet --locked vendor
    # As cargo vendor prints it, which --quiet suppresses.
    cat >.cargo/config.toml <<END
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"
END
    # dh_clean of Debian removes *.orig, and cargo rejects a crate if a listed file is missing.
    find vendor -type f -name '*.orig' -exec rm {} +
    sed -i -e 's/"[^"]*\.orig":"[0-9a-f]*",\{0,1\}//g' -e 's/,}/}/g' vendor/*/.cargo-checksum.json
    # With an empty CARGO_HOME, these fail if vendor/ is not complete.
    export CARGO_HOME="$PWD/../cargo-home" CARGO_NET_OFFLINE=true
    "$CARGO" metadata --locked --format-version 1 >../metadata.json
    # What is linked on Linux, on the platforms of Debian and Fedora.
    for program in $programs; do
        "$CARGO" tree --locked --package "$program" --edges normal,no-proc-macro --prefix none \
            --target x86_64-unknown-linux-gnu --target aarch64-unknown-linux-gnu \
            --target i686-unknown-linux-gnu --target armv7-unknown-linux-gnueabihf \
            --target powerpc64le-unknown-linux-gnu --target riscv64gc-unknown-linux-gnu \
            --target s390x-unknown-linux-gnu >../tree.txt
        python3 packaging/sbom.py ../metadata.json ../tree.txt Cargo.lock \
            >"../$program-$version.cdx.json"
    done
)

tar -C "$place" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
    --numeric-owner --mode=u+rw,go=u,go-w -cf "$place/$name.tar" "$name"
# shellcheck disable=SC2086 # several words
$XZ "$place/$name.tar"
rm -rf "${place:?}/$name" "$place/cargo-home"
rm "$place/metadata.json" "$place/tree.txt"
cd "$place"
sha256sum "mailsetup-$version.cdx.json" "mailsetup-probe-$version.cdx.json" "$name.tar.xz" >SHA256SUMS
cat SHA256SUMS
