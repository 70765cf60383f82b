#!/bin/sh
# Builds the RPM packages from the tarball of `make dist`, below target/dist, by the spec file in it.
# `make rpm` runs it.
#
#   sh packaging/rpm.sh [OPTION...]    options of rpmbuild, such as --define 'socketuser apache'
#
# A cargo of PATH that is no RPM package is used, too: the packages of BuildRequires are not required
# on a system without them, such as Debian.
set -eu
cd "$(dirname "$0")/.."

for tool in rpmbuild checkmodule semodule_package; do
    command -v "$tool" >/dev/null 2>&1 || {
        echo "$0: $tool is not there" >&2
        exit 1
    }
done
export LC_ALL=C
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
place=$PWD/target/dist
tarball=$place/mailsetup-$version.tar.xz
mkdir -p "$place/rpm"
tar -C "$place/rpm" --strip-components=3 -xf "$tarball" "mailsetup-$version/packaging/rpm/mailsetup.spec"
# The time of the commit.
SOURCE_DATE_EPOCH=$(stat --format %Y "$place/rpm/mailsetup.spec")
export SOURCE_DATE_EPOCH
required=
[ -e /etc/redhat-release ] || required=--nodeps
sed -i "s/@VERSION@/$version/" "$place/rpm/mailsetup.spec"
cat >>"$place/rpm/mailsetup.spec" <<END

%changelog
* $(date --utc --date "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y') mailsetup authors <mailsetup@packages.invalid> - $version-1
- CHANGELOG.md has the changes
END
# shellcheck disable=SC2086 # one option or none
rpmbuild -ba $required \
    --define "_topdir $place/rpm" --define "_sourcedir $place" --define "_srcrpmdir $place" \
    --define "_rpmdir $place" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define 'use_source_date_epoch_as_buildtime 1' --define '_buildhost localhost' \
    "$@" "$place/rpm/mailsetup.spec"
rm -rf "$place/rpm"
ls "$place"/mailsetup-*"$version"-1.*.rpm
