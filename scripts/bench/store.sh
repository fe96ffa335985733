# Sourced by bench.sh: the content-addressed store, against sha256sum over the same files and against itself with a fifth
# of the objects.

# make_store COUNT: what follows works in a new workspace with that many documents, yet outside of the store.
make_store() {
  echo "bench: writing $1 documents" >&2
  root="$scratch/store-$1"
  rm -rf "$root"
  mkdir -p "$root"
  python3 scripts/bench/objects.py "$root/documents" "$1"
  rtt-00-bootstrap --quiet --root "$root" >/dev/null
  (cd "$root" && find documents -type f >files.txt)
  sync
}

# measure_store RUNS: sets ingest, again, verify, sums and pack to medians; ends with a full store.
measure_store() {
  local cas="rtt-cas --quiet --root ." sha256sum="find .rtt/registry/cas/sha256 -type f -print0 | xargs -0 sha256sum >/dev/null"
  compare --runs "$1" --prepare "rm -rf .rtt/registry/cas .rtt/registry/index.json && sync" "$cas ingest --files-from files.txt"
  ingest=${times[0]}
  sync
  compare --warmup 1 --runs 5 "$cas verify" "$sha256sum" "$cas ingest --files-from files.txt"
  verify=${times[0]} sums=${times[1]} again=${times[2]}
  compare --runs "$1" --prepare "rm -f store.tar && sync" "$cas pack store.tar"
  pack=${times[0]}
  compare --runs "$1" --prepare "rm -rf .rtt/registry/cas .rtt/registry/index.json && sync" "$cas unpack store.tar"
  unpack=${times[0]}
}

bench_store() {
  local ingest again verify sums pack unpack
  make_store 20000
  measure_store 3
  local small=("$ingest" "$again" "$verify" "$pack" "$unpack")
  make_store 100000
  measure_store 3
  table "\`rtt-cas\`, 100,000 objects"
  row "verify, against sha256sum over the same files" "$verify" "$sums" 1.5
  row "ingest, 100,000 against 20,000 objects" "$ingest" "${small[0]}" 5.75
  row "ingest again, 100,000 against 20,000 objects" "$again" "${small[1]}" 5.75
  row "verify, 100,000 against 20,000 objects" "$verify" "${small[2]}" 5.75
  row "pack, 100,000 against 20,000 objects" "$pack" "${small[3]}" 5.75
  row "unpack, 100,000 against 20,000 objects" "$unpack" "${small[4]}" 5.75
  measure_memory rtt-cas --quiet --root . pack store.tar
  row "peak memory, pack, 100,000 objects" "$peak" "400 MiB" 1
  rm -rf "$scratch"/store-*

  cat <<'CAPTION'

Documents of 2 KB, all different. Times are medians; the page cache is warm for both sides. *Ingest* and *unpack* begin with an empty store and end when everything is on the
disk; *ingest again* finds everything there. 5.75 is five times the objects, and so the bytes, and 15 % for noise.
CAPTION
}
