# Sourced by bench.sh: stage 50 against writing and syncing the same bytes.

# apply_workspace ROUTES: a new workspace with a signed plan of so many routes, in `root`.
apply_workspace() {
  echo "bench: a plan with $1 routes" >&2
  root="$scratch/routes-$1"
  rm -rf "$root"
  python3 scripts/bench/routes.py "$root" "$1"
  for stage in rtt-00-bootstrap rtt-10-scan rtt-20-depdoctor rtt-30-generate; do
    "$stage" --quiet --root "$root" >/dev/null
  done
  "$target/release/examples/synthetic_plan" "$root"
  cp -R "$root/.rtt" "$scratch/unapplied"
}

# Back to before the apply; the lists of writes are for the baseline.
unapply="rm -rf .rtt plans/last_applied.json && cp -R $scratch/unapplied .rtt && sync"

# record_writes: runs an apply under strace and lists what it writes and syncs, for the baseline.
record_writes() {
  (cd "$root" && strace -f -y -s 0 -e trace=write,fsync,fdatasync -o "$scratch/trace" rtt-50-apply --quiet --root . \
    --plan plans/synthetic.plan.json >/dev/null)
  python3 scripts/bench/writes.py "$scratch/trace" >"$scratch/writes"
}

bench_apply() {
  local apply="rtt-50-apply --quiet --root . --plan plans/synthetic.plan.json" baseline whole memory
  cargo build --quiet --release --locked -p rtt-30-generate -p rtt-50-apply
  cargo build --quiet --release --locked -p rtt-core --example synthetic_plan
  baseline="rm -rf baseline; mkdir baseline; $target/release/examples/synthetic_plan --replay $scratch/writes baseline"
  rm -rf "$scratch/unapplied"
  apply_workspace 10000
  record_writes
  table "stage 50, a first plan"
  compare --warmup 1 --runs 5 --prepare "$unapply" "$apply" "$baseline"
  whole=${times[0]}
  row "10,000 routes, against writing and syncing the same bytes" "$whole" "${times[1]}" 3
  (cd "$root" && eval "$unapply")
  measure_memory $apply
  row "memory for 10,000 routes" "$peak" "300 MiB" 1
  rm -rf "$scratch/unapplied"
  apply_workspace 100000
  compare --warmup 0 --runs 2 --prepare "$unapply" "$apply"
  row "100,000 routes against 10,000" "${times[0]}" "$whole" 12
  (cd "$root" && eval "$unapply")
  measure_memory $apply
  row "memory for 100,000 routes" "$peak" "300 MiB" 1
}
