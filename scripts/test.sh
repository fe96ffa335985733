#!/usr/bin/env bash
# Sets the machine up and runs every check: formatting, lints, tests, documentation tests, schemas, scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

setup_build
need python3 python3
need pip3 python3-pip
need node nodejs
need npm npm
need go golang-go
need openssl openssl
need strace strace
need jq jq
need socat socat
need perl perl
need gcc gcc
need javac default-jdk-headless
need_browser
install_missing
setup_node_tools
setup_python_tools

step() {
  echo "test: $*" >&2
  "$@"
}

for script in scripts/*.sh scripts/*/*.sh .ci/run; do
  step bash -n "$script"
done
step cargo fmt --all --check
step cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
# Tests run the executables from target/debug, so those are built first.
step cargo build --quiet --locked --workspace --bins
export RTT_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug"
# Further languages: scripts/connectors-live.sh.
export RTT_LIVE="bash c go java javascript perl python rust typescript"
step cargo test --quiet --locked --workspace --doc
RUSTDOCFLAGS="-D warnings" step cargo doc --quiet --locked --workspace --no-deps --document-private-items
if cargo nextest --version >/dev/null 2>&1; then
  step cargo nextest run --locked --workspace --no-fail-fast
else
  step cargo test --quiet --locked --workspace --no-fail-fast --lib --bins --tests
fi
echo "[OK] All tests passed"
