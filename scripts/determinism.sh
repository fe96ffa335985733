#!/usr/bin/env bash
# Makes the plans of tests/planning.rs again and again, with one to eight threads, several processes at once, with what was
# remembered and without: there must be one plan. Usage: determinism.sh [RUNS]    RUNS: 1000 unless said
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet --workspace --bins
RTT_BIN="$PWD/target/release" RTT_DETERMINISM="${1:-1000}" \
    cargo test --quiet -p rtt-tests --test planning -- --nocapture threads_and_schedules
