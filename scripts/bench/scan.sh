# Sourced by bench.sh: stage 10 against the least that any program must do with the same files, and against validators.

# Other validators of JSON Schema, pinned.
setup_validators() {
  need npm npm
  python3 -m ensurepip --version >/dev/null 2>&1 || missing_packages+=(python3-venv)
  install_missing
  if [ ! -x "$scratch/node/node_modules/.bin/ajv" ]; then
    echo "setup: installing ajv-cli" >&2
    npm install --silent --no-audit --no-fund --prefix "$scratch/node" ajv-cli@5.0.0 ajv@8.20.0 >&2
  fi
  if [ ! -x "$scratch/venv/bin/check-jsonschema" ]; then
    echo "setup: installing check-jsonschema" >&2
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install --quiet check-jsonschema==0.39.0 >&2
  fi
}

bench_scan() {
  setup_validators
  local scan="rtt-10-scan --quiet --root ." schema="$PWD/schemas/rtt.symbol.schema.json"
  local ajv="$scratch/node/node_modules/.bin/ajv" check_jsonschema="$scratch/venv/bin/check-jsonschema"
  local cold unchanged

  make_workspace 20000
  table "stage 10, 20,000 manifests"
  compare --warmup 1 --runs 10 "find agents -type f -print0 | xargs -0 cat >/dev/null" "$scan --force"
  cold=${times[1]}
  row "cold, against reading every file" "$cold" "${times[0]}" 2
  compare --warmup 1 --runs 10 "find agents -printf '%s %T@\n' >/dev/null" "$scan"
  unchanged=${times[1]}
  row "nothing changed, against listing every file" "$unchanged" "${times[0]}" 2
  compare --warmup 1 --runs 10 --prepare "$edit" "$scan"
  row "one file changed, against nothing changed" "${times[0]}" "$unchanged" 3
  compare --runs 1 "'$ajv' validate --spec=draft2020 --strict=false -s '$schema' -d 'agents/**/*.agent.json'"
  row "cold, against ajv" "$cold" "${times[0]}" 0.05
  # As few runs of it as the length of a command line allows.
  compare --runs 1 "find agents -type f -print0 | xargs -0 -s 1000000 '$check_jsonschema' --schemafile '$schema'"
  row "cold, against check-jsonschema" "$cold" "${times[0]}" 0.05

  make_workspace 100000
  compare --warmup 1 --runs 3 "$scan --force" "$scan"
  row "cold, 100,000 against 20,000 manifests" "${times[0]}" "$cold" 5.75
  row "nothing changed, 100,000 against 20,000 manifests" "${times[1]}" "$unchanged" 5.75
  measure_memory $scan --force
  read -r loading parsing _ < <(cargo bench --quiet --locked -p rtt-core --bench registry -- "$root" | tail -1)
  row "load the registry of 100,000, against parsing it with serde_json" "$loading ms" "$parsing ms" 1
  row "peak memory, cold, 100,000 manifests" "$peak" "400 MiB" 1

  cat <<'CAPTION'

Manifests have 2 KB on average. Times are medians. *Cold* is `--force`, which ignores everything that earlier runs left; the page cache is warm for both
sides, so disks are not compared. ajv and check-jsonschema validate the same files with the same schema, started as few times as possible.
0.05 is twenty times as fast; 5.75 is five times the manifests and 15 % for noise.
CAPTION
}
