#!/usr/bin/env bash
# Breaks a copy of the code in each way that tests/faults/mutations lists, and shows that the fault kit finds it.
#
#   mutate.sh [NAME…]   NAME is that of a patch, such as folder-not-synced; all of them if none is named
#
# The first line of a patch names the tests that must fail. Prints a Markdown table; exit code 1: one was not found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

setup_build
need jq jq
need patch patch
need strace strace
install_missing
target="${CARGO_TARGET_DIR:-$PWD/target}"
scratch="$target/mutations"
mkdir -p "$scratch/tree"
names=("$@")
if [ $# -eq 0 ]; then
  for patch in tests/faults/mutations/*.patch; do
    names+=("$(basename "$patch" .patch)")
  done
fi

echo "mutate: building the kit" >&2
cargo build --quiet --locked --workspace --bins
kit=$(cargo test --quiet --locked -p rtt-tests --test faults --no-run --message-format json \
  | jq -r 'select(.executable != null and .target.name == "faults") | .executable' | tail -n 1)
missed=0
printf '| defect | found by | seconds |\n|---|---|---|\n'
for name in "${names[@]}"; do
  patch="tests/faults/mutations/$name.patch"
  filter=$(sed -n '1s/^# found by: //p' "$patch")
  rm -rf "$scratch/tree" "$scratch/bin"
  mkdir -p "$scratch/tree" "$scratch/bin"
  git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$scratch/tree"
  patch --quiet -p1 -d "$scratch/tree" <"$patch"
  (cd "$scratch/tree" && CARGO_TARGET_DIR="$scratch/target" cargo build --quiet --locked -p rtt-50-apply)
  # The other stages as they are, the sixth broken.
  for stage in "$target"/debug/rtt-[0-4]0-*; do
    [ -x "$stage" ] && [ "${stage%.d}" = "$stage" ] && ln -sf "$stage" "$scratch/bin/"
  done
  cp "$scratch/target/debug/rtt-50-apply" "$scratch/bin/"
  started=$SECONDS
  # shellcheck disable=SC2086 # several filters
  if RTT_BIN="$scratch/bin" "$kit" $filter >"$scratch/$name.log" 2>&1; then
    found='**nothing**'
    missed=1
  else
    found=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/`\1`/p' "$scratch/$name.log" | sort -u | paste -sd ' ')
  fi
  printf '| %s | %s | %s |\n' "$name" "$found" "$((SECONDS - started))"
done
exit "$missed"
