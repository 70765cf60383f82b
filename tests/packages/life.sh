# Runs in a clean system: the packages are installed, upgraded, removed, installed again and purged. No question is asked, edits are kept, and nothing is left.
# shellcheck shell=sh

fail() {
    echo "failed: $*" >&2
    exit 1
}

# Standard input is /dev/null: a question would be an error.
install() {
    apt-get -q -y "$@" >/tmp/apt.log 2>&1 || {
        cat /tmp/apt.log >&2
        fail "apt-get $*"
    }
}

# All files, users and groups; without what each use of apt, systemd and a login changes.
everything() {
    find / /run -xdev \( -path /tmp -o -path /var/log -o -path /var/cache -o -path /run/systemd \
        -o -path /var/lib/dpkg/info -o -path '/var/lib/dpkg/*-old' -o -path /var/lib/apt \
        -o -path /proc -o -path /run/log -o -path /var/lib/systemd/timers -o -path /run/user -o -path /run/agetty.reload \) \
        -prune -o -print | sort
    ls /var/lib/dpkg/info | grep mailsetup || true
    cat /etc/passwd /etc/group
    dpkg --get-selections
}

is() {
    [ "$(systemctl "is-$1" "$2" || true)" = "$3" ] || fail "$2 is not $3"
}

version() {
    [ "$(dpkg-query --show --showformat='${Version}' mailsetup)" = "$1" ] || fail "not version $1"
}

probe() {
    for version in "$(mailsetup-probe --version)" "$(mailsetup probe --version)"; do
        case $version in "mailsetup-probe "[0-9]*) ;; *) fail "mailsetup-probe: $version" ;; esac
    done
}

everything >/tmp/before

# Installed: the socket is open, the service starts at the first request, and no file is writable for
# others.
install install /packages/older.deb
version 0.0.1-1
is enabled mailsetup.socket enabled
is active mailsetup.socket active
is active mailsetup.service inactive
[ -S /run/mailsetup.sock ] || fail 'no socket'
[ "$(stat --format '%U %G %a' /run/mailsetup.sock)" = 'www-data www-data 660' ] || fail 'socket'
mailsetup --version
mailsetup check >/dev/null || fail 'the installed configuration has errors'
dpkg --verify mailsetup
man=$(zcat /usr/share/man/man1/mailsetup.1.gz | head -n 100)
case $man in *mailsetup*) ;; *) fail 'no manual' ;; esac
[ "$(readlink -f /usr/lib/cgi-bin/mailsetup.cgi)" = /usr/bin/mailsetup ] || fail 'no CGI program'
# A file is used when its last change is a second ago.
sleep 2
GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET HTTP_HOST=autoconfig.example.org \
    REQUEST_URI=/mail/config-v1.1.xml /usr/lib/cgi-bin/mailsetup.cgi </dev/null |
    grep -q '<hostname>mail.example.org</hostname>' || fail 'CGI'

# The other package, which is recommended, but not there.
status=0
said=$(mailsetup probe example.org 2>&1) || status=$?
[ "$status" -eq 2 ] || fail "mailsetup probe: status $status"
case $said in *'the package mailsetup-probe has it') ;; *) fail "mailsetup probe: $said" ;; esac
install install /packages/probe-older.deb
probe
man=$(zcat /usr/share/man/man1/mailsetup-probe.1.gz | head -n 100)
case $man in *mailsetup-probe*) ;; *) fail 'no manual of mailsetup-probe' ;; esac

# An edited configuration is kept, without a question.
echo 'imap.host = "imap.example.org"' >>/etc/mailsetup/config.toml
edited=$(cksum </etc/mailsetup/config.toml)
install install /packages/mailsetup.deb /packages/probe.deb
probe
[ "$(cksum </etc/mailsetup/config.toml)" = "$edited" ] || fail 'the edit is lost'
[ -z "$(find /etc -name '*.dpkg-*' ! -path '/etc/.*')" ] || fail 'there was nothing to merge'
mailsetup show ann@example.org | grep -q imap.example.org

# A later version has another file in place of the edited one, and of one without edits.
install -o Dpkg::Options::=--force-confold install /packages/newer.deb
version 99.0-1
[ "$(cksum </etc/mailsetup/config.toml)" = "$edited" ] || fail 'the edit is lost'
[ -e /etc/mailsetup/config.toml.dpkg-dist ] || fail 'the new file is not beside it'
grep -q '^# newer' /etc/nginx/snippets/mailsetup.conf || fail 'a file without edits is old'
is active mailsetup.socket active

# An admin's choice survives an upgrade: a socket that was disabled is not enabled again.
systemctl --quiet disable --now mailsetup.socket
install install --reinstall /packages/newer.deb
is enabled mailsetup.socket disabled
is active mailsetup.socket inactive
systemctl --quiet enable --now mailsetup.socket

# Removed: the configuration is kept, and all else is gone.
install remove mailsetup
[ "$(cksum </etc/mailsetup/config.toml)" = "$edited" ] || fail 'the edit is lost'
[ ! -e /run/mailsetup.sock ] || fail 'the socket is left'
[ ! -e /usr/bin/mailsetup ] || fail 'the program is left'
mailsetup-probe --version >/dev/null || fail 'mailsetup-probe does not run alone'

install -o Dpkg::Options::=--force-confold install /packages/newer.deb
[ "$(cksum </etc/mailsetup/config.toml)" = "$edited" ] || fail 'the edit is lost'
is active mailsetup.socket active

install purge mailsetup mailsetup-probe
everything >/tmp/after
diff /tmp/before /tmp/after || fail 'something is left'
echo 'nothing is left'
