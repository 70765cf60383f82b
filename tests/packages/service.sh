# Runs in a system with web servers: installs the package, and tries the service under systemd.
# shellcheck shell=sh

fail() {
    echo "failed: $*" >&2
    exit 1
}

until_true() {
    for _ in $(seq 100); do
        if "$@"; then return 0; fi
        sleep 0.1
    done
    fail "not in time: $*"
}

main_pid() {
    systemctl show --property MainPID --value mailsetup.service
}

request() {
    curl --silent --show-error --fail --max-time 20 \
        "http://127.0.0.1/mail/config-v1.1.xml?emailaddress=ann@example.org"
}

running() {
    [ "$(systemctl is-active mailsetup.service)" = active ]
}

# Another process than before.
restarted() {
    running && [ "$(main_pid)" != "$pid" ]
}

apt-get -q -y install /packages/mailsetup.deb >/dev/null

# Nothing is enabled in a web server, and none was started.
[ -z "$(find /etc/nginx/sites-enabled /etc/apache2/*-enabled /etc/lighttpd/conf-enabled \
    -name '*mailsetup*')" ] || fail 'a web server was changed'
for server in nginx apache2 lighttpd; do
    if systemctl --quiet is-active "$server"; then fail "$server runs"; fi
done

sh -eu /tests/servers.sh nginx
# The first request starts the service.
[ "$(systemctl is-active mailsetup.socket)" = active ] || fail 'no socket'
if running; then fail 'the service runs before a request'; fi
request | grep -q '<hostname>mail.example.org</hostname>'
running || fail 'the request did not start the service'

# What the unit says is in force.
pid=$(main_pid)
status() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"
}
[ "$(status Seccomp)" = 2 ] || fail "Seccomp $(status Seccomp)"
[ "$(status NoNewPrivs)" = 1 ] || fail 'NoNewPrivs'
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    [ "$(status $set)" = 0000000000000000 ] || fail "$set $(status $set)"
done
uid=$(status Uid | cut -f 1)
[ "$uid" -ge 61184 ] && [ "$uid" -le 65519 ] || fail "user $uid is not a dynamic one"
[ "$(sed -e 1,2d -e 's/:.*//' -e 's/ //g' "/proc/$pid/net/dev")" = lo ] || fail 'a network'
in_service() {
    nsenter --target "$pid" --mount --net -- "$@"
}
writable=$(nsenter --target "$pid" --mount --setuid "$uid" --setgid "$uid" -- \
    find / -path /proc -prune -o -type d -writable -print 2>/dev/null || true)
[ -z "$writable" ] || fail "writable: $writable"
in_service cat /etc/mailsetup/config.toml >/dev/null || fail 'the configuration is not readable'
[ -z "$(in_service find /root /home -mindepth 1 2>/dev/null)" ] || fail 'home folders are visible'
if in_service [ -e /dev/sda ] || in_service [ -e /dev/kmsg ]; then fail 'devices'; fi
systemd-analyze security --threshold=3 mailsetup.service >/tmp/security || fail "$(tail -n 1 /tmp/security)"
tail -n 1 /tmp/security

# `systemctl status` says what it serves.
text=$(systemctl show --property StatusText --value mailsetup.service)
[ -n "$text" ] || fail 'no status text'
echo "status: $text"

# An edit and a reload, in the same process.
printf 'imap.host = "imap.example.org"\n' >>/etc/mailsetup/config.toml
systemctl reload mailsetup.service
request | grep -q '<hostname>imap.example.org</hostname>' || fail 'the reload has no effect'
[ "$(main_pid)" = "$pid" ] || fail 'a reload is a restart'
# With errors, the previous configuration stays in force, and the log has the reason.
cp /etc/mailsetup/config.toml /tmp/config.toml
echo 'imap.hots = 1' >>/etc/mailsetup/config.toml
systemctl reload mailsetup.service || true
request | grep -q '<hostname>imap.example.org</hostname>' || fail 'a fault ended the service'
journalctl --quiet --unit mailsetup.service --output cat | grep -q hots || fail 'no line about the fault'
cp /tmp/config.toml /etc/mailsetup/config.toml
systemctl reload mailsetup.service

# The log: a line for each request, with the address masked.
journalctl --sync
journalctl --quiet --unit mailsetup.service --output cat | grep 'document=autoconfig' | head -n 1
if journalctl --quiet --unit mailsetup.service --output cat | grep 'ann@'; then fail 'an address'; fi

# Ended by a signal, it is started again by systemd; stopped, by the next request.
kill -KILL "$pid"
until_true restarted
request >/dev/null
systemctl stop mailsetup.service
if running; then fail 'a stop has no effect'; fi
request | grep -q '<hostname>imap.example.org</hostname>'
running || fail 'not started by a request after a stop'

# With errors at the start it is tried again, and the requests wait, until they are corrected.
systemctl stop mailsetup.service
echo 'imap.hots = 1' >>/etc/mailsetup/config.toml
request >/tmp/answer &
waiting=$!
sleep 6
[ "$(systemctl is-active mailsetup.socket)" = active ] || fail 'errors close the socket'
if running; then fail 'started with errors'; fi
cp /tmp/config.toml /etc/mailsetup/config.toml
wait "$waiting" || fail 'a request did not wait for the correction'
grep -q '<hostname>imap.example.org</hostname>' /tmp/answer

# Closed and opened again, the socket is at the same place.
systemctl stop mailsetup.socket mailsetup.service 2>/dev/null
[ ! -e /run/mailsetup.sock ] || fail 'the socket is left'
systemctl start mailsetup.socket
request >/dev/null
sh -eu /tests/servers.sh nginx stop

# Removed while web servers use it, and purged: Apache and lighttpd still start.
for server in apache lighttpd; do
    sh -eu /tests/servers.sh "$server"
    request >/dev/null
    apt-get -q -y remove mailsetup >/dev/null
    code=$(curl --silent --output /dev/null --write-out '%{http_code}' \
        http://127.0.0.1/mail/config-v1.1.xml)
    [ "$code" = 404 ] || fail "$server answers $code after the removal"
    apt-get -q -y purge mailsetup >/dev/null
    sh -eu /tests/servers.sh "$server" stop
    sh -eu /tests/servers.sh "$server" plain
    sh -eu /tests/servers.sh "$server" stop
    [ -z "$(find /etc /var/lib -name '*mailsetup*' ! -path '/var/lib/apt/*')" ] || fail 'files are left'
    apt-get -q -y install /packages/mailsetup.deb >/dev/null
done
