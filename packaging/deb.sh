#!/bin/sh
# Builds the Debian package from the tarball of `make dist`, below target/dist. `make deb` runs it.
#
#   sh packaging/deb.sh          the source package and the package for this system
#   sh packaging/deb.sh source   only the source package: *.dsc, *.orig.tar.xz, *.debian.tar.xz
#
# The version is that of Cargo.toml, with revision 1; the date is that of the commit. debian/changelog
# and debian/copyright are written here. Debian 12 and 13 have a Rust that is new enough: rustc-web and
# cargo-web on Debian 12, rustc and cargo on Debian 13. If they are not installed, but another cargo of
# that version is in PATH, that one is used, and the packages are not required.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "$0: $*" >&2
    exit 1
}

command -v dpkg-buildpackage >/dev/null 2>&1 ||
    fail 'dpkg-buildpackage is not there: apt-get install dpkg-dev debhelper dh-apache2'
export LC_ALL=C
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
cd target/dist
rm -rf deb
mkdir deb
cp "mailsetup-$version.tar.xz" "deb/mailsetup_$version.orig.tar.xz"
cd deb
tar xf "mailsetup_$version.orig.tar.xz"
cd "mailsetup-$version"
cp -R packaging/debian debian
rm debian/copyright.in
python3 packaging/copyright.py packaging/debian/copyright.in vendor >debian/copyright
maintainer=$(sed -n 's/^Maintainer: //p' debian/control)
cat >debian/changelog <<END
mailsetup ($version-1) unstable; urgency=medium

  * Version $version; /usr/share/doc/mailsetup/changelog.gz has the changes.

 -- $maintainer  $(date --utc --rfc-email --date "@$(stat --format %Y Cargo.toml)")
END
dpkg-source --build .
if [ "${1-}" != source ]; then
    required=
    if ! missing=$(dpkg-checkbuilddeps 2>&1); then
        echo "$missing" >&2
        case $(echo "$missing" | sed -e 's/.*dependencies: *//' -e 's/([^)]*)//g' -e 's/ | [^ ]*//g') in
        *[!\ ]*debhelper* | *dh-apache2* | *libssl-dev* | *pkgconf*) fail 'install these packages' ;;
        esac
        wanted=$(sed -n 's/^rust-version = "1\.\(.*\)"/\1/p' Cargo.toml)
        found=$(rustc --version | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
        [ "${found:-0}" -ge "$wanted" ] || fail "rustc 1.$wanted is not there"
        echo "$0: the build uses $(command -v rustc), $(rustc --version)"
        required=--no-check-builddeps
    fi
    dpkg-buildpackage -b -us -uc $required
fi
cd ..
rm -rf "mailsetup-$version"
cd ..
mv deb/* .
rmdir deb
for file in "mailsetup_$version-1"*.deb "mailsetup_$version-1.dsc"; do
    [ ! -e "$file" ] || echo "target/dist/$file"
done
