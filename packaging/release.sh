#!/bin/sh
# Checks what must agree before the commit is published as a release: the version in Cargo.toml, in
# the changelog, in the documents and of the tag. `make release-check` runs it first.
#
#   sh packaging/release.sh
#
# Every fault is printed. Refuses to run outside of a git checkout of the project.
set -eu
cd "$(dirname "$0")/.."

failed=
fault() {
    echo "$0: $*" >&2
    failed=1
}

# An unpacked tarball may lie within another checkout.
[ "$(git rev-parse --show-cdup || echo none)" = '' ] || {
    fault 'not a git checkout: a release is made from a commit'
    exit 1
}
[ -z "$(git status --porcelain --untracked-files=all)" ] ||
    fault 'there are changes that are not committed'

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
echo "$version" | grep -qxE '[0-9]+\.[0-9]+\.[0-9]+' ||
    fault "Cargo.toml: version $version is not of the form 1.2.3"
probe=$(sed -n 's/^version = "\(.*\)"/\1/p' probe/Cargo.toml)
[ "$probe" = "$version" ] || fault "probe/Cargo.toml: the version is $probe, not $version"
used=$(sed -n 's/^mailsetup = .* version = "\([^"]*\)".*/\1/p' probe/Cargo.toml)
[ "$used" = "$version" ] || fault "probe/Cargo.toml: mailsetup is $used, not $version"
for package in mailsetup mailsetup-probe; do
    locked=$(grep -A 1 "^name = \"$package\"\$" Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')
    [ "$locked" = "$version" ] || fault "Cargo.lock: $package is $locked, not $version: run cargo check"
done

# The day of the commit; the changelog is changed by the commit that makes the release.
day=$(TZ=UTC0 git -c log.showSignature=false log -1 --date=format-local:%Y-%m-%d --format=%cd)
top=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
[ "$top" = "$version - $day" ] ||
    fault "CHANGELOG.md: the first heading is \"$top\", not \"$version - $day\""
! grep -n '^## Unreleased' CHANGELOG.md >&2 || fault 'CHANGELOG.md has changes that are not released'

# Three numbers; four are an address.
others=$(git grep -nEo 'mailsetup(-probe)?[-_ :]v?[0-9]+(\.[0-9]+){2,3}' -- README.md SECURITY.md docs man contrib |
    grep -vE '(\.[0-9]+){3}$' |
    grep -vE "[-_ :]v?$(echo "$version" | sed 's/\./\\./g')\$" || :)
[ -z "$others" ] || fault "another version in the documents:
$others"

tag=v$version
if tagged=$(git rev-parse --quiet --verify "refs/tags/$tag^{commit}"); then
    [ "$tagged" = "$(git rev-parse HEAD)" ] || fault "$tag is another commit: $tagged"
else
    echo "there is no tag yet: git tag -a $tag"
fi

[ -z "$failed" ] || exit 1
echo "$version can be released, if the tests pass"
