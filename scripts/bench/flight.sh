# Sourced by bench.sh: the flight recorder against a plain append.

bench_flight() {
  local recording appending
  echo "bench: the flight recorder" >&2
  read -r recording appending < <(cargo bench --quiet --locked -p rtt-core --bench recorder | tail -1)
  table "a flight record, with 4 MiB of history and its metrics"
  row "one record, against 1 ms" "$recording µs" "1000 µs" 1
  row "one record, against appending its line to a file" "$recording µs" "$appending µs" 60
}
