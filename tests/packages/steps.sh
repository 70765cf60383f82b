# Read by run.sh: the steps that need this machine, and functions that start and enter systems.
# shellcheck shell=sh

say() {
    printf '\n== %s (%s)\n' "$*" "$(date +%T)"
}

fail() {
    echo "failed: $*" >&2
    exit 1
}

# --- Systems ---

nspawn=
leader=
mounted=

# Starts a system: boot SUITE ROOT. /packages and /tests are there.
boot() {
    root=$PWD/target/roots/$1/$2
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --register=no --keep-unit \
        --private-network --volatile=overlay --boot -D "$root" \
        --bind-ro="$place/$1:/packages" --bind-ro="$PWD/tests/packages:/tests" \
        --bind-ro="$PWD/packaging/debian/tests/nginx:/smoke" \
        </dev/null >"$place/boot.log" 2>&1 &
    nspawn=$!
    tries=0
    until leader=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null) && leader=${leader%% *} &&
        [ -n "$leader" ] && [ -e "/proc/$leader/root/run/systemd/private" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$nspawn" 2>/dev/null; then
            tail -n 20 "$place/boot.log" >&2
            fail "$root does not start"
        fi
        sleep 0.2
    done
    # Some units of a minimal system may fail in a container.
    inside systemctl is-system-running --wait >/dev/null || true
}

# Runs a command in the system.
inside() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive TERM=dumb "$@" </dev/null
}

# Runs a command of this machine in the network of the system.
beside() {
    nsenter --target "$leader" --net "$@"
}

stop() {
    [ -n "$nspawn" ] || return 0
    kill "$nspawn" 2>/dev/null || true
    wait "$nspawn" 2>/dev/null || true
    nspawn=
}

clean_up() {
    status=$?
    [ "$status" -eq 0 ] || [ -z "$nspawn" ] ||
        inside journalctl --no-pager -n 40 -u 'mailsetup*' >&2 || true
    [ -z "$loop" ] || kill "$loop" 2>/dev/null || true
    stop
    exit "$status"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# --- Builds ---

# A folder of cargo whose settings leave out the optimisation, which takes most of the time of a build.
without_optimisation() {
    mkdir -p "$1"
    cat >"$1/config.toml" <<END
[profile.release]
lto = "off"
codegen-units = 16
opt-level = 0
[profile.release.package."*"]
opt-level = 0
END
}

# As a distribution builds it: a system with Build-Depends only, its own Rust, no network. Then lintian
# of that release, and the same program with a lower and with a higher version, for upgrades.
build_deb() {
    say "$1: build and lintian"
    build=$PWD/target/roots/$1/build
    rm -rf "$build/build"
    mkdir -p "$build/build" "$place/$1"
    cp "target/dist/mailsetup_$version-1.dsc" "target/dist/mailsetup_$version.orig.tar.xz" \
        "target/dist/mailsetup_$version-1.debian.tar.xz" "$build/build"
    without_optimisation "$build/build/cargo-home"
    # The version of Debian's policy is newer than lintian of Debian 12.
    systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe --as-pid2 -D "$build" \
        --setenv="DEB_BUILD_OPTIONS=nocheck parallel=$(nproc)" --setenv=LC_ALL=C.UTF-8 \
        --setenv=CARGO_HOME=/build/cargo-home sh -ec 'cd /build
            dpkg-source --extract *.dsc source >build.log
            cd source
            dpkg-buildpackage -b -us -uc >>../build.log 2>&1 || { tail -n 40 ../build.log; exit 1; }
            cd ..
            rm -rf source cargo-home
            lintian --allow-root --display-info --pedantic --fail-on error,warning \
                --suppress-tags newer-standards-version *.changes' </dev/null
    cp "$build/build/"mailsetup_*.deb "$place/$1/mailsetup.deb"
    cp "$build/build/"mailsetup-probe_*.deb "$place/$1/probe.deb"
    rm -rf "$build/build"
    with_version "$1" mailsetup older 0.0.1-1
    with_version "$1" mailsetup newer 99.0-1 changed
    with_version "$1" probe probe-older 0.0.1-1
    hardened "$place/$1/mailsetup.deb" mailsetup
    hardened "$place/$1/probe.deb" mailsetup-probe
}

# A package with another version; with `changed`, two of its conffiles are other ones.
with_version() {
    tree=$place/$1/tree
    rm -rf "$tree"
    dpkg-deb --raw-extract "$place/$1/$2.deb" "$tree"
    sed -i "s/^Version: .*/Version: $4/" "$tree/DEBIAN/control"
    if [ "${5-}" = changed ]; then
        echo '# newer' >>"$tree/etc/mailsetup/config.toml"
        echo '# newer' >>"$tree/etc/nginx/snippets/mailsetup.conf"
    fi
    dpkg-deb --root-owner-group --build "$tree" "$place/$1/$3.deb" >/dev/null
    rm -rf "$tree"
}

# Position independent, and no relocation stays writable.
hardened() {
    rm -rf "$place/program"
    dpkg-deb --extract "$1" "$place/program"
    readelf --wide --file-header --program-headers --dynamic "$place/program/usr/bin/$2" \
        >"$place/elf"
    grep -q 'Type: *DYN' "$place/elf" || fail 'no PIE'
    grep -q 'FLAGS.*NOW' "$place/elf" || fail 'no BIND_NOW'
    grep -q GNU_RELRO "$place/elf" || fail 'no RELRO'
    grep -q 'GNU_STACK.* RW ' "$place/elf" || fail 'the stack is executable'
    rm -rf "$place/program" "$place/elf"
}

build_rpm() {
    say 'RPM: build and rpmlint'
    without_optimisation "$place/cargo-home"
    CARGO_HOME=$place/cargo-home sh packaging/rpm.sh >"$place/rpm.log" 2>&1 || {
        tail -n 40 "$place/rpm.log" >&2
        exit 1
    }
    mkdir -p "$place/rpm"
    mv target/dist/mailsetup-"$version"-1.*.rpm target/dist/mailsetup-probe-"$version"-1.*.rpm \
        target/dist/mailsetup-selinux-"$version"-1.*.rpm "$place/rpm"
    rpmlint --strict --config packaging/rpm/rpmlint.toml "$place"/rpm/*.rpm
}

# --- One list of files ---

# What `make install` places with the directories of Debian, the two packages of Debian and those of
# RPM have the same files. The differences are named here.
check_file_lists() {
    say 'one list of files'
    stage=$place/stage
    rm -rf "$stage"
    mkdir -p "$stage"
    printf '#!/bin/sh\n' >"$place/empty"
    chmod 755 "$place/empty"
    make install install-config DESTDIR="$stage" PROGRAM="$place/empty" PROBE="$place/empty" \
        prefix=/usr >/dev/null
    (cd "$stage" && find . ! -type d) | sed 's/^\.//' | sort >"$place/staged"

    # Of the RPM: the licences in the folder for them.
    set -- "$place"/rpm/mailsetup-"$version"-1.[!s]*.rpm "$place"/rpm/mailsetup-probe-"$version"-1.*.rpm
    rpm -qlp "$@" | while read -r path; do
        case $path in
        /usr/share/licenses/mailsetup*/LICENSE-*) echo "/usr/share/doc/mailsetup/${path##*/}" ;;
        /usr/lib/.build-id*) ;;
        *.gz) echo "${path%.gz}" ;;
        *) echo "$path" ;;
        esac
    done | sort -u >"$place/rpm.list"
    (rpm -qlp "$@" --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' |
        grep '^d' || true) | sed 's/^[^ ]* //' | sort -u >"$place/rpm.folders"
    comm -23 "$place/rpm.list" "$place/rpm.folders" >"$place/rpm.files"
    diff -u "$place/staged" "$place/rpm.files" || fail 'the RPM package and make install differ'

    for suite in $suites; do
        for package in mailsetup probe; do
            dpkg-deb --fsys-tarfile "$place/$suite/$package.deb" | tar -tf - | grep -v '/$'
        done | sed 's/^\.//' | while read -r path; do
            case $path in
            # Debian's own.
            */copyright | */README.Debian | */changelog.Debian.gz | */lintian/overrides/*) ;;
            */doc/mailsetup-probe/changelog.gz) ;;
            # With other names.
            */doc/mailsetup/changelog.gz) echo /usr/share/doc/mailsetup/CHANGELOG.md ;;
            /usr/share/zsh/vendor-completions/*) echo "/usr/share/zsh/site-functions/${path##*/}" ;;
            # Debian 12 has the folder of units in /lib.
            /lib/systemd/system/*) echo "/usr$path" ;;
            *.gz) echo "${path%.gz}" ;;
            # The folders of web servers, which are variables without a default.
            /etc/nginx/snippets/mailsetup.conf | /etc/apache2/conf-available/mailsetup.conf | \
                /etc/lighttpd/conf-available/5[01]-mailsetup-*.conf | \
                /usr/lib/cgi-bin/mailsetup.cgi) ;;
            *) echo "$path" ;;
            esac
        done | sort >"$place/deb.files"
        # The copyright file has the licences.
        grep -v '/LICENSE-' "$place/staged" | diff -u - "$place/deb.files" ||
            fail "the package of $suite and make install differ"
        dpkg-deb --fsys-tarfile "$place/$suite/mailsetup.deb" | tar -C "$stage" -xf - \
            --wildcards '*/mailsetup.service' '*/mailsetup.socket'
        for unit in service socket; do
            found=$(find "$stage/lib" "$stage/usr/lib" -name "mailsetup.$unit" 2>/dev/null | head -n 1)
            cmp "contrib/systemd/mailsetup.$unit" "$found"
        done
    done
    rm -rf "$stage"
}

# --- Steps with requests from outside of the system ---

loop=

# Requests, one after another, until `requests_end`.
requests_begin() {
    python3 tests/packages/requests.py "/proc/$leader/root/run/mailsetup.sock" \
        '/mail/config-v1.1.xml?emailaddress=ann@example.org' loop &
    loop=$!
    sleep 0.5
}

requests_end() {
    sleep 0.5
    kill "$loop"
    wait "$loop" || fail "$1: a request was refused"
    loop=
}

answer() {
    python3 tests/packages/requests.py "/proc/$leader/root/run/mailsetup.sock" "$1"
}

upgrade_keeps_the_socket() {
    inside apt-get -q -y install /packages/older.deb >/dev/null
    before=$(inside stat --format '%i %w' /run/mailsetup.sock)
    requests_begin
    pid=$(inside systemctl show --property MainPID --value mailsetup.service)
    inside apt-get -q -y install /packages/mailsetup.deb >/dev/null
    requests_end upgrade
    [ "$before" = "$(inside stat --format '%i %w' /run/mailsetup.sock)" ] || fail 'another socket'
    [ "$pid" != "$(inside systemctl show --property MainPID --value mailsetup.service)" ] ||
        fail 'the service was not restarted'
}

# As version 0.1.0 could be installed, with one program; tests/upgrade.rs has its answers.
upgrade_of_make_install() {
    here=/proc/$leader/root
    dpkg-deb --extract "$packages/older.deb" "$here/tmp/older"
    make install install-config DESTDIR="$here" PROBE= PROGRAM="$here/tmp/older/usr/bin/mailsetup" \
        >/dev/null
    echo 'imap.host = "imap.example.org"' >"$here/etc/mailsetup/config.toml"
    inside useradd --system --no-create-home www-data 2>/dev/null || true
    inside systemctl daemon-reload
    inside systemctl --quiet enable --now mailsetup.socket
    for target in '/mail/config-v1.1.xml?emailaddress=ann@example.org' \
        '/mobileconfig?emailaddress=ann@example.org'; do
        answer "$target"
    done >"$place/answers.before"
    grep -q imap.example.org "$place/answers.before"
    inside systemctl --quiet disable --now mailsetup.socket mailsetup.service
    make uninstall DESTDIR="$here" PROBE= >/dev/null
    inside apt-get -q -y -o Dpkg::Options::=--force-confold install /packages/mailsetup.deb >/dev/null
    for target in '/mail/config-v1.1.xml?emailaddress=ann@example.org' \
        '/mobileconfig?emailaddress=ann@example.org'; do
        answer "$target"
    done >"$place/answers.after"
    cmp "$place/answers.before" "$place/answers.after"
}

restarts_refuse_no_request() {
    before=$(inside stat --format '%i %w' /run/mailsetup.sock)
    requests_begin
    for step in restart restart reload restart stop restart; do
        inside systemctl "$step" mailsetup.service
    done
    requests_end 'restart, reload and stop'
    [ "$before" = "$(inside stat --format '%i %w' /run/mailsetup.sock)" ] || fail 'another socket'
}

# The drop-in of the unit's comment, with a key that only root can read.
signing_key() {
    etc=/proc/$leader/root/etc
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj /CN=autoconfig.example.org -keyout "$etc/mailsetup/profile.key" \
        -out "$etc/mailsetup/profile.pem" 2>/dev/null
    chmod 600 "$etc/mailsetup/profile.key"
    chmod 644 "$etc/mailsetup/profile.pem"
    mkdir -p "$etc/systemd/system/mailsetup.service.d"
    printf '[Service]\nLoadCredential=profile.key:/etc/mailsetup/profile.key\n' \
        >"$etc/systemd/system/mailsetup.service.d/key.conf"
    cp "$etc/mailsetup/config.toml" "$place/config.before"
    cat >>"$etc/mailsetup/config.toml" <<'END'
[apple]
signing_certificate = "/etc/mailsetup/profile.pem"
signing_key = "/run/credentials/mailsetup.service/profile.key"
[domain."example.org"]
END
    inside systemctl daemon-reload
    inside systemctl restart mailsetup.service
    answer '/mobileconfig?emailaddress=ann@example.org' >"$place/profile"
    openssl cms -verify -binary -inform DER -in "$place/profile" -purpose any \
        -CAfile "$etc/mailsetup/profile.pem" 2>/dev/null | grep -q mail.example.org || fail 'the profile is not signed'
    cp "$place/config.before" "$etc/mailsetup/config.toml"
    rm -r "$etc/systemd/system/mailsetup.service.d"
    inside systemctl daemon-reload
    inside systemctl restart mailsetup.service
}

# Debian's own configuration of each web server, and the lines of README.Debian.
conformance() {
    www=/proc/$leader/root/var/www/html
    echo hello >"$www/hello.txt"
    for server in nginx apache lighttpd; do
        inside sh -eu /tests/servers.sh "$server"
        PACKAGED_SERVER=$server PACKAGED_CONFIG=/proc/$leader/root/etc/mailsetup/config.toml \
            beside "$CARGO" test --quiet --locked --test main conformance::packaged -- --ignored --exact
        echo "$server: conformance suite passed"
        inside sh -eu /tests/servers.sh "$server" stop
    done
}

# Installed by rpm into an empty root, then run in a system of Debian, which has all libraries; a user
# for the socket is added.
rpm_in_a_root() {
    rm -rf "$place/empty-root"
    mkdir -p "$place/empty-root"
    set -- "$place"/rpm/mailsetup-"$version"-1.[!s]*.rpm "$place"/rpm/mailsetup-probe-"$version"-1.*.rpm
    rpm --root "$place/empty-root" --nodeps --noscripts -i "$@" 2>/dev/null
    rm -rf "$place/empty-root/var"
    boot "$suite" clean
    cp -a "$place/empty-root/." "/proc/$leader/root/"
    inside useradd --system --no-create-home nginx
    inside systemctl daemon-reload
    inside systemctl start mailsetup.socket
    [ "$(inside stat --format '%U %G %a' /run/mailsetup.sock)" = 'nginx nginx 660' ] || fail socket
    answer '/mail/config-v1.1.xml?emailaddress=ann@example.org' | grep -q mail.example.org
    inside systemctl is-active mailsetup.service
    inside mailsetup probe --version | grep '^mailsetup-probe '
    stop
    rm -rf "$place/empty-root"
}
