# Sourced by bench.sh: stage 30 against quicktype, and against parsing what it reads.

setup_quicktype() {
  need npm npm
  install_missing
  if [ ! -d "$scratch/node/node_modules/quicktype-core" ]; then
    echo "setup: installing quicktype-core" >&2
    npm install --silent --no-audit --no-fund --prefix "$scratch/node" quicktype-core@26.0.0 >&2
  fi
}

# prepare_edges MANIFESTS: a workspace before stage 30, with three edges from almost every manifest.
prepare_edges() {
  make_workspace "$1" 3
  rtt-10-scan --quiet --root "$root" >/dev/null
  rtt-20-depdoctor --quiet --root "$root" >/dev/null
}

bench_generate() {
  setup_quicktype
  local generate="rtt-30-generate --quiet --root ." whole unchanged n_edges n_connectors quicktype parsing making checking
  prepare_edges 670
  compare --warmup 1 --runs 5 "$generate --force" "$generate"
  whole=${times[0]} unchanged=${times[1]}
  n_edges=$(jq .summary.edges "$root/.rtt/cache/dependencies.json")
  echo "bench: quicktype" >&2
  read -r n_connectors quicktype < <(node scripts/bench/quicktype.mjs "$root" "$scratch/node/node_modules")
  read -r _ _ parsing < <(cargo bench --quiet --locked -p rtt-core --bench registry -- "$root" | tail -1)
  read -r making checking < <(cargo bench --quiet --locked -p rtt-core --bench connectors -- "$root" | tail -1)
  table "stage 30, $n_edges edges, $n_connectors connectors in five languages"
  row "making the texts, against quicktype on the same schemas" "$making ms" "$quicktype ms" 0.05
  row "parsing them, which quicktype does not do" "$checking ms" "$quicktype ms" 0.1
  row "whole stage, from files to files, against quicktype" "$whole" "$quicktype ms" 0.15
  row "nothing changed, against parsing the registry and the connectors index" "$unchanged" "$parsing ms" 2
  prepare_edges 1340
  compare --warmup 1 --runs 5 "$generate --force"
  row "whole stage, twice the manifests" "${times[0]}" "$whole" 2.3
}
