#!/usr/bin/env bash
# Installs the toolchains of languages, runs their connectors live, and writes what was reached into stubs/VERIFIED.md.
#
#   connectors-live.sh [LANG…]   LANG is the name of a folder in tests/live; all of them if none is named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

languages=("$@")
if [ $# -eq 0 ]; then
  for recipe in tests/live/*/live.json; do
    languages+=("$(basename "$(dirname "$recipe")")")
  done
fi
for language in "${languages[@]}"; do
  [ -r "tests/live/$language/live.json" ] || { echo "connectors-live.sh: there is no tests/live/$language" >&2; exit 64; }
done

setup_build
need python3 python3
need jq jq
need npm npm
need pip3 python3-pip
install_missing
setup_node_tools
setup_python_tools
tools="${CARGO_TARGET_DIR:-$PWD/target}/node-tools/node_modules"

# Packages of npm stay beside what is built; some have programs that they do not declare.
npm_tools="${CARGO_TARGET_DIR:-$PWD/target}/live-tools"
find_npm_tools() {
  for folder in "$npm_tools"/node_modules/{.bin,*/bin}; do
    PATH="$folder:$PATH"
  done
}
find_npm_tools

recipe() {
  sed "s|{node_tools}|$tools|g" "tests/live/$1/live.json"
}

# A need is the program, or a library's file, and where it comes from: apt:PACKAGE…, npm:PACKAGE@VERSION, pypi:PACKAGE==VERSION.
for language in "${languages[@]}"; do
  while IFS=$'\t' read -r program source; do
    if [ -e "$program" ] || command -v "$program" >/dev/null 2>&1; then continue; fi
    case "$source" in
      apt:*) read -ra packages <<<"${source#apt:}"; missing_packages+=("${packages[@]}") ;;
      npm:tests/tools) ;;
      npm:*)
        echo "setup: installing ${source#npm:}" >&2
        npm install --silent --no-audit --no-fund --prefix "$npm_tools" "${source#npm:}" >&2
        find_npm_tools
        ;;
      pypi:*) echo "setup: installing ${source#pypi:}" >&2; python3 -m pip install --quiet --break-system-packages "${source#pypi:}" >&2 ;;
    esac
  done < <(recipe "$language" | jq -r '.needs | to_entries[] | "\(.key)\t\(.value)"')
done
install_missing

cargo build --quiet --locked --workspace --bins
export RTT_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug"
missed=0
for language in "${languages[@]}"; do
  if log=$(RTT_LIVE="$language" cargo test --quiet --locked -p rtt-tests --test live 2>&1); then
    echo "live: $language" >&2
    level=live
  else
    printf 'not live: %s\n%s\n' "$language" "$log" >&2
    level='not live' missed=1
  fi
  mapfile -t version < <(recipe "$language" | jq -r '.version[]')
  shown=$("${version[@]}" 2>&1 | grep -m 1 . | tr '|' ' ') || shown=unknown
  results+=("| $language | $level | ${shown:0:80} | $(date -u +%F) |")
done

# Languages that were not asked for keep the line that they have.
page=stubs/VERIFIED.md
{
  echo "# What was verified"
  echo
  echo "Written by \`scripts/connectors-live.sh\`: generated for one interface that has broken many a code generator, compiled by the language's own tools, and run against a"
  echo "provider process that is ended on the way (\`tests/live\`)."
  echo
  echo "| language | level | toolchain | date |"
  echo "|---|---|---|---|"
  {
    printf '%s\n' "${results[@]}"
    [ ! -r "$page" ] || grep -E '^\| [a-z0-9_+#-]+ \| (live|not live) ' "$page"
  } | sort -t '|' -k 2,2 -u --stable
} >"$page.new"
mv "$page.new" "$page"
exit "$missed"
