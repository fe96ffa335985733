# Sourced by bench.sh: stage 20 against parsing its input.

doctor="rtt-20-depdoctor --quiet --root ."

bench_depdoctor() {
  local parsing loading whole
  make_workspace 100000 5 2
  rtt-10-scan --quiet --root "$root" >/dev/null
  read -r loading parsing _ < <(cargo bench --quiet --locked -p rtt-core --bench registry -- "$root" | tail -1)
  table "stage 20, 100,000 instances, 500,000 requirements, 2 % of them not met"
  compare --ignore-failure --warmup 1 --runs 3 "$doctor --force"
  whole=${times[0]}
  row "whole stage, against parsing the registry with serde_json" "$whole" "$parsing ms" 3
  compare --ignore-failure --warmup 1 --runs 3 --prepare "$edit && rtt-10-scan --quiet --root ." "$doctor"
  row "one manifest changed, against parsing the registry" "${times[0]}" "$parsing ms" 1.3
  row "loading the registry alone, against parsing it" "$loading ms" "$parsing ms" 1
  make_workspace 100000 10 2
  rtt-10-scan --quiet --root "$root" >/dev/null
  compare --ignore-failure --warmup 1 --runs 3 "$doctor --force"
  row "whole stage, the search for circles included, 1,000,000 requirements against 500,000" "${times[0]}" "$whole" 2.3
}
