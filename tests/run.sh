#!/bin/sh
# `make run` builds and starts the program, and the commands that it prints get an answer. It is the
# first thing that a newcomer does.
#
#   sh tests/run.sh
#
# The port is a free one; the program is ended at the end.
set -eu
cd "$(dirname "$0")/.."

port=$(python3 -c 'import socket; it = socket.socket(); it.bind(("127.0.0.1", 0)); print(it.getsockname()[1])')
output=$(mktemp)
make run HTTP="127.0.0.1:$port" CARGO="${CARGO:-cargo}" >"$output" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || :; rm -f "$output" "$output.body"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    cat "$output" >&2
    echo "$0: $*" >&2
    exit 1
}

# After the build, which ends by itself.
until curl --silent --output /dev/null "http://127.0.0.1:$port/"; do
    kill -0 "$pid" 2>/dev/null || fail 'make run has ended'
    sleep 0.2
done
commands=$(sed -n 's/^  curl /curl --silent --show-error --fail /p' "$output")
[ "$(echo "$commands" | wc -l)" -eq 3 ] || fail 'not three commands'
echo "$commands" | while read -r command; do
    sh -c "$command" >"$output.body" </dev/null || fail "no answer: $command"
    grep -q '^<?xml' "$output.body" || fail "no document: $command"
done
echo 'make run: the program starts and answers'
