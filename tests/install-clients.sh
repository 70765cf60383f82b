#!/bin/sh
# Installs the mail clients that tests/clients drives, and the mail servers they log in to.
#
#   sh tests/install-clients.sh          install what is missing (Debian)
#   sh tests/install-clients.sh --list   print the packages, one per line
#
# If all is installed, it does nothing. The installation starts no service. Programs from pip and
# cargo are installed below cargo's target directory, in the versions named here; Pimalaya's needs
# Rust 1.88.
set -eu

deltachat=2.65.0
pimalaya=0.9.0

# the command or file that must exist : its package
needs='
/usr/lib/thunderbird/thunderbird:thunderbird
certutil:libnss3-tools
dnsmasq:dnsmasq-base
dovecot:dovecot-core
/usr/lib/dovecot/imap:dovecot-imapd
/usr/lib/dovecot/pop3:dovecot-pop3d
postfix:postfix
/usr/share/doc/python3-venv:python3-venv
cc:gcc
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing

cd "$(dirname "$0")/.."
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
mkdir -p "$target/clients"

# Each is built under another name and renamed once it is complete.
program=$target/clients/deltachat-rpc-server-$deltachat
if ! [ -e "$program" ]; then
    rm -rf "$target/clients/venv"
    /usr/bin/python3 -m venv "$target/clients/venv"
    "$target/clients/venv/bin/pip" install --quiet --only-binary :all: "deltachat-rpc-server==$deltachat"
    # The program itself; the file in bin is a script that starts it.
    cp "$target"/clients/venv/lib/python3*/site-packages/deltachat_rpc_server/deltachat-rpc-server "$program.new"
    mv "$program.new" "$program"
    rm -rf "$target/clients/venv"
fi

program=$target/clients/pim-discovery-$pimalaya
if ! [ -e "$program" ]; then
    cargo install --quiet --locked --root "$target/clients/cargo" --target-dir "$target/clients/build" \
        --version "=$pimalaya" --features cli io-pim-discovery
    cp "$target/clients/cargo/bin/pim-discovery" "$program.new"
    mv "$program.new" "$program"
    rm -rf "$target/clients/cargo" "$target/clients/build"
fi
echo "all mail clients are there"
