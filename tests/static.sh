#!/bin/sh
# The program of `make static` needs no loader and no library, and gives the responses that the tests
# of all protocols, of signing and of CGI expect.
#
#   sh tests/static.sh                               with the libc of this machine
#   TARGET=x86_64-unknown-linux-musl sh tests/static.sh
#
# For another platform, its standard library must be there (rustup target add), and for musl also
# musl-gcc (Debian: musl-tools) and perl.
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
make static TARGET="$target" CARGO="$cargo"
program=$("$cargo" metadata --format-version 1 --no-deps |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/$target/release/mailsetup

needs=$(readelf --wide --program-headers --dynamic "$program" | grep -E 'INTERP|NEEDED' || :)
[ -z "$needs" ] || {
    echo "$program is not static:" >&2
    echo "$needs" >&2
    exit 1
}
# libfaketime, which that one test needs, is a library.
MAILSETUP_TEST_PROGRAM=$program "$cargo" test --locked --test main -- documents:: signing:: hostile:: \
    conformance:: reload:: malformed:: --skip signing::the_time_decides_about_a_certificate
ls -l "$program"
