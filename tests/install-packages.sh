# Read by the other install-*.sh: installs the packages that a table names.
#
# The table is $needs. Each line has a command or a file that must exist, a colon, and its package.
# shellcheck shell=sh

list_packages() {
    printf '%s' "$needs" | sed -n 's/.*://p'
}

install_missing() {
    # A plain user's PATH often lacks the directories where servers live.
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    missing=
    for need in $needs; do
        proof=${need%:*}
        package=${need##*:}
        case $proof in
        /*) [ -e "$proof" ] || missing="$missing $package" ;;
        *) command -v "$proof" >/dev/null 2>&1 || missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0

    command -v apt-get >/dev/null 2>&1 || {
        echo "$0: no apt-get here; please install by hand:$missing" >&2
        exit 1
    }
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null 2>&1 || {
            echo "$0: run it as root; missing:$missing" >&2
            exit 1
        }
    fi

    # Debian starts a service as soon as it is installed, unless policy-rc.d exits with 101 ("not
    # allowed"). An earlier file is restored, also if the installation fails.
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        $as_root mv "$policy" "$policy.before-tests"
    fi
    trap restore_policy EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"

    $as_root apt-get -q update
    # No packages are removed: a machine with another mail server keeps it. shellcheck
    # disable=SC2086 # one word per package
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends --no-remove install $missing
    restore_policy
    trap - EXIT HUP INT TERM
}

restore_policy() {
    $as_root rm -f "$policy"
    if [ -e "$policy.before-tests" ]; then
        $as_root mv "$policy.before-tests" "$policy"
    fi
}
