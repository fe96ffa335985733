#!/usr/bin/env bash
# Measures stages on generated workspaces, and prints a Markdown table of the figures, the limits and who kept them.
#
#   bench.sh [NAME…]   NAME is that of a file in scripts/bench, such as scan; all of them if none is named
#
# Exit code 1: a limit was missed. The figures of tests/benchmarks.md come from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

names=("$@")
if [ $# -eq 0 ]; then
  for file in scripts/bench/*.sh; do
    names+=("$(basename "$file" .sh)")
  done
fi
for name in "${names[@]}"; do
  [ -r "scripts/bench/$name.sh" ] || { echo "bench.sh: there is no scripts/bench/$name.sh" >&2; exit 64; }
done

setup_build
need hyperfine hyperfine
need jq jq
need python3 python3
need /usr/bin/time time
install_missing
target="${CARGO_TARGET_DIR:-$PWD/target}"
scratch="$target/bench"
mkdir -p "$scratch"
echo "bench: building" >&2
cargo build --quiet --release --locked -p rtt-00-bootstrap -p rtt-10-scan -p rtt-20-depdoctor -p rtt-30-generate -p rtt-40-solver -p rtt-tools
export PATH="$target/release:$PATH"

missed=0 root='' times=() peak=''

# make_workspace COUNT [REQUIREMENTS [WRONG]]: what follows works in a new workspace, see scripts/bench/manifests.py.
make_workspace() {
  echo "bench: writing $1 manifests" >&2
  root="$scratch/$1"
  rm -rf "$root"
  python3 scripts/bench/manifests.py "$root" "$@"
  rtt-00-bootstrap --quiet --root "$root" >/dev/null
  # What is still to be written to the disk would be written while something is measured.
  sync
}

# Changes a value in one manifest, another one each time.
edit="perl -pi -e 's/(\"memory_mb\": )(\d+)/\$1 . (\$2 + 1)/e' agents/region0/team0/service0/agent0.agent.json"

# compare OPTION… COMMAND…: sets `times` to the median of each command, all measured in one run of hyperfine.
compare() {
  echo "bench: ${*: -1}" >&2
  (cd "$root" && hyperfine --style none --export-json "$scratch/times.json" "$@" >&2)
  mapfile -t times < <(jq -r '.results[] | "\(.median * 1000 | round) ms"' "$scratch/times.json")
}

# measure_memory COMMAND…: sets `peak` to the most memory that it had in use at once.
measure_memory() {
  echo "bench: memory of $*" >&2
  (cd "$root" && /usr/bin/time -f %M -o "$scratch/memory" "$@" >/dev/null)
  peak="$(($(cat "$scratch/memory") / 1024)) MiB"
}

# table TITLE: begins a table.
table() {
  printf '| %s | measured | reference | ratio | at most | |\n|---|---|---|---|---|---|\n' "$1"
}

# row WHAT MEASURED REFERENCE LIMIT: adds a line to it; MEASURED and REFERENCE are numbers with the same unit.
row() {
  awk -v what="$1" -v measured="$2" -v reference="$3" -v limit="$4" 'BEGIN {
    ratio = measured / reference
    printf "| %s | %s | %s | %.3g | %s | %s |\n", what, measured, reference, ratio, limit, ratio <= limit ? "ok" : "MISSED"
    exit ratio > limit
  }' || missed=1
}

for name in "${names[@]}"; do
  . "scripts/bench/$name.sh"
  "bench_$name"
done
exit "$missed"
