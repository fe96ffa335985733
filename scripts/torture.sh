#!/usr/bin/env bash
# Runs the fault kit at every point that it knows, again and again.
#
#   torture.sh [MINUTES]   begins no further round after MINUTES (default: 30)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

setup_build
need strace strace
install_missing
minutes="${1:-30}"
case "$minutes" in
  '' | *[!0-9]*) echo "torture.sh: MINUTES is a number" >&2; exit 64 ;;
esac
cargo build --quiet --locked --workspace --bins
export RTT_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug"
round=0
while :; do
  round=$((round + 1))
  echo "torture: round $round" >&2
  RTT_FAULTS=all cargo test --quiet --locked -p rtt-tests --test faults -- --nocapture
  [ "$SECONDS" -lt "$((minutes * 60))" ] || break
done
echo "[OK] $round rounds, no violation"
