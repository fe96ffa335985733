#!/usr/bin/env bash
# Feeds mutated documents to what reads them, until something breaks or the executions are used up.
#
#   fuzz.sh [TARGET] [EXECUTIONS]   TARGET is manifest (default), json or plan; 10000000 executions by default
#
# An input that breaks something stays in tests/fuzz/artifacts, inputs that reach new code in target/fuzz/corpus.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

target=${1:-manifest} executions=${2:-10000000}
[ -r "tests/fuzz/fuzz_targets/$target.rs" ] || { echo "fuzz.sh: there is no target '$target'" >&2; exit 64; }

setup_build
need c++ g++
install_missing
built="${CARGO_TARGET_DIR:-$PWD/target}"
if [ ! -x "$built/tools/bin/cargo-fuzz" ]; then
  echo "setup: installing cargo-fuzz" >&2
  cargo install --quiet --locked --root "$built/tools" --version 0.13.2 cargo-fuzz
fi

# Real documents, where they are: the fuzzer reads them and writes only to the first folder.
documents=("$built/fuzz/corpus/$target")
for folder in "tests/fuzz/seeds/$target" tests/workspaces/quickstart/{agents,providers} ../shared/data/{mcp-tools,a2a-cards}; do
  [ ! -d "$folder" ] || documents+=("$folder")
done
options=(-max_len=4096 -rss_limit_mb=1024 -timeout=10 "-runs=$executions")
[ ! -r "tests/fuzz/$target.dict" ] || options+=("-dict=tests/fuzz/$target.dict")
mkdir -p "${documents[0]}"

# The sanitizer's flags are for nightly compilers; this admits them on the stable one.
export RUSTC_BOOTSTRAP=1
"$built/tools/bin/cargo-fuzz" run "$target" --fuzz-dir tests/fuzz --target-dir "$built/fuzz" "${documents[@]}" -- "${options[@]}"
