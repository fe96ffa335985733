# Sourced by pipeline.sh: the quickstart workspace, from manifests to a call that survives the loss of its provider.

providers=()

stop_providers() {
  for pid in "${providers[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
}

# start_provider SOCKET COMMAND…: runs it in the sockets' folder, so that no path is too long for a socket.
start_provider() {
  local socket=$1
  shift
  rm -f "$root/.rtt/sockets/$socket"
  (cd "$root/.rtt/sockets" && exec "$@" "$socket") &
  providers+=($!)
  for _ in $(seq 100); do
    [ -S "$root/.rtt/sockets/$socket" ] && return 0
    kill -0 "${providers[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo "demo: $* does not listen on $socket" >&2
  exit 70
}

# The copy is kept, so that a second demo finds every stage's work done; a changed quickstart starts afresh.
prepare_copy() {
  local source="$repository/tests/workspaces/quickstart" state="$repository/target/demo"
  local digest
  digest=$(cd "$source" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  root="$state/quickstart"
  if [ "$(cat "$state/source.sha256" 2>/dev/null)" != "$digest" ]; then
    rm -rf "$state"
    mkdir -p "$state"
    cp -R "$source" "$root"
    echo "$digest" >"$state/source.sha256"
  fi
}

run_demo() {
  from=00 to=50
  need python3 python3
  need node nodejs
  install_missing
  prepare_copy
  run_stages
  trap stop_providers EXIT
  start_provider tsdb.sock python3 "$root/services/tsdb.py"
  start_provider replica.sock node "$root/services/replica.mjs"
  echo "demo: agent.api.metrics asks agent.storage.tsdb for series 'cpu'"
  python3 "$root/services/ask.py" "$root" cpu
  echo "demo: killing the primary provider"
  kill -KILL "${providers[0]}"
  wait "${providers[0]}" 2>/dev/null || true
  echo "demo: agent.api.metrics asks again"
  python3 "$root/services/ask.py" "$root" cpu
  echo "[OK] Demo complete: the first call went to the primary, the second to the backup"
}
