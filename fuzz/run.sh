#!/bin/sh
# Fuzzes every target, or those in TARGETS, one after the other, and prints a table.
#
#   sh fuzz/run.sh            for MINUTES (default 8) altogether, or RUNS executions of each
#   sh fuzz/run.sh minimise   reduces the inputs found so far to the fewest with the same coverage
#
# New inputs are kept in fuzz/target/found until they are minimised into fuzz/corpus. A target that
# crashes, hangs or takes more than 512 MB ends with status 1, its input in fuzz/artifacts.
# SANITIZER=address also checks unsafe code of dependencies, and is slower.
set -eu
cd "$(dirname "$0")/.."

minutes=${MINUTES:-8}
runs=${RUNS:-}
sanitizer=${SANITIZER:-none}

cargo +nightly --version >/dev/null 2>&1 || {
    echo 'Rust nightly is missing: rustup toolchain install nightly' >&2
    exit 2
}
cargo +nightly fuzz --version >/dev/null 2>&1 || {
    echo 'cargo-fuzz is missing: cargo install cargo-fuzz --locked' >&2
    exit 2
}
targets=${TARGETS:-$(cargo +nightly fuzz list)}

# The longest input, in bytes: enough for every seed that is not a whole example file.
max_len() {
    case $1 in
    address) echo 400 ;;
    fastcgi_records | host | probe_url) echo 300 ;;
    init_dovecot | init_others) echo 2048 ;;
    pox_body) echo 1024 ;;
    template) echo 1024 ;;
    import_* | init_postfix | profile_cms | published) echo 2048 ;;
    *) echo 600 ;;
    esac
}

fuzz() {
    cargo +nightly fuzz run --sanitizer "$sanitizer" "$1" "fuzz/target/found/$1" "fuzz/corpus/$1" -- \
        -max_len="$(max_len "$1")" -dict="fuzz/dictionaries/$1.dict" -timeout=5 -rss_limit_mb=512 \
        -print_final_stats=1 "$2"
}

minimise() {
    all=fuzz/target/found/$1
    cp "fuzz/corpus/$1"/* "$all/"
    # By the edges that are reached, not by their counts: that would keep thousands of files.
    cargo +nightly fuzz cmin --sanitizer "$sanitizer" "$1" "$all" -- -max_len="$(max_len "$1")" -use_counters=0 \
        >"fuzz/target/found/$1.log" 2>&1 || { tail -n 20 "fuzz/target/found/$1.log"; exit 1; }
    rm -rf "fuzz/corpus/$1"
    mv "$all" "fuzz/corpus/$1"
    printf '%s: %s files, %s bytes\n' \
        "$1" "$(ls "fuzz/corpus/$1" | wc -l)" "$(cat "fuzz/corpus/$1"/* | wc -c)"
}

for target in $targets; do mkdir -p "fuzz/target/found/$target" "fuzz/corpus/$target"; done
if [ "${1:-}" = minimise ]; then
    for target in $targets; do minimise "$target"; done
    exit
fi

cargo +nightly fuzz build --sanitizer "$sanitizer"
set -- $targets
case $runs in
'') limit=-max_total_time=$((minutes * 60 / $#)) ;;
*) limit=-runs=$runs ;;
esac
failed=0
printf '\n| target | executions | exec/s | edges reached, before and now | inputs found | result |\n'
printf '|---|---:|---:|---:|---:|---|\n'
for target; do
    log=fuzz/target/found/$target.log
    result=ok
    fuzz "$target" "$limit" >"$log" 2>&1 || { result=CRASH failed=1; }
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    edges() { sed -n "s/^#[0-9]*[[:space:]]*$1[[:space:]]*cov: \([0-9]*\).*/\1/p" "$log"; }
    printf '| `%s` | %s | %s | %s, %s | %s | %s |\n' "$target" "$(stat number_of_executed_units)" \
        "$(stat average_exec_per_sec)" "$(edges INITED)" "$(edges DONE)" "$(stat new_units_added)" "$result"
    [ $result = ok ] || grep -E -A1 'panicked|SUMMARY|Test unit written|cargo fuzz run|^error' "$log" || cat "$log"
done
exit $failed
