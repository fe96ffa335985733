# Sourced by bench.sh: stage 10 against the least that any program must do with the same files, and against other validators.

scan="rtt-10-scan --root ."

# Changes a value, so that the file differs each time.
edit="perl -pi -e 's/(\"memory_mb\": )(\d+)/\$1 . (\$2 % 1024 + 1)/e' agents/region0/team0/service0/agent0.agent.json"

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
  local schema="$PWD/schemas/rtt.symbol.schema.json" cold unchanged

  make_workspace 20000
  table "stage 10, 20,000 manifests"
  compare --warmup 1 --runs 10 "find agents -type f -print0 | xargs -0 cat >/dev/null" "$scan --force"
  cold=${times[1]}
  row "cold; reading every file" "$cold" "${times[0]}" 2
  compare --warmup 1 --runs 10 "find agents -printf '%s %T@\n' >/dev/null" "$scan"
  unchanged=${times[1]}
  row "nothing changed; listing every file" "$unchanged" "${times[0]}" 2
  compare --warmup 1 --runs 10 --prepare "$edit" "$scan"
  row "one file changed; nothing changed" "${times[0]}" "$unchanged" 3
  compare --runs 1 "'$scratch/node/node_modules/.bin/ajv' validate --spec=draft2020 --strict=false -s '$schema' -d 'agents/**/*.agent.json'"
  row "cold; ajv on every file" "$cold" "${times[0]}" 0.05
  # As few runs of it as the length of a command line allows.
  compare --runs 1 "find agents -type f -print0 | xargs -0 -s 1000000 '$scratch/venv/bin/check-jsonschema' --schemafile '$schema'"
  row "cold; check-jsonschema on every file" "$cold" "${times[0]}" 0.05

  make_workspace 100000
  compare --warmup 1 --runs 3 "$scan --force" "$scan"
  row "cold, 100,000 manifests; 20,000" "${times[0]}" "$cold" 5.75
  row "nothing changed, 100,000 manifests; 20,000" "${times[1]}" "$unchanged" 5.75
  row "peak memory, cold, 100,000 manifests" "$(peak_memory $scan --force)" "400 MiB" 1

  cat <<'CAPTION'

Each row names what is measured and then its reference. Times are medians. Cold: `--force`, which ignores everything that an earlier run left; the page
cache is warm for both sides, so disks are not compared. 0.05: twenty times as fast. 5.75: five times as many manifests, and 15 % for noise.
CAPTION
}
