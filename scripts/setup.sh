# Sourced by the other scripts: finds what this machine lacks, says so, and installs it.
#
#   need COMMAND PACKAGE     a command that must be on the PATH
#   need_library NAME PACKAGE   a C library that pkg-config must know
#   need_browser             headless Chromium, for tests that look at pages
#   install_missing          installs the packages that were found missing, in one go

missing_packages=()

need() {
  command -v "$1" >/dev/null 2>&1 || missing_packages+=("$2")
}

need_library() {
  pkg-config --exists "$1" 2>/dev/null || missing_packages+=("$2")
}

# Headless Chromium under any of its names, with a font to draw text with.
need_browser() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then return; fi
  done
  missing_packages+=(chromium-headless-shell fonts-dejavu-core)
}

install_missing() {
  if [ "${#missing_packages[@]}" -gt 0 ]; then
    echo "setup: installing ${missing_packages[*]}" >&2
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing_packages[@]}" >&2
    missing_packages=()
  fi
}

# What building needs: a linker, libhwloc, and Rust.
setup_build() {
  need cc gcc
  need pkg-config pkg-config
  need_library hwloc libhwloc-dev
  install_missing
  if ! command -v cargo >/dev/null 2>&1 && [ -r "$HOME/.cargo/env" ]; then
    . "$HOME/.cargo/env"
  fi
  if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: Rust is missing; install it from https://rustup.rs and run this again" >&2
    exit 66
  fi
}

# What tests run on Node.js, pinned in tests/tools, beside the other things that are built.
setup_node_tools() {
  local tools="${CARGO_TARGET_DIR:-$PWD/target}/node-tools"
  if ! cmp -s tests/tools/package-lock.json "$tools/package-lock.json"; then
    echo "setup: installing the packages of tests/tools" >&2
    mkdir -p "$tools"
    cp tests/tools/package.json "$tools/"
    (cp tests/tools/package-lock.json "$tools/" && cd "$tools" && npm ci --silent --no-audit --no-fund) ||
      { rm -f "$tools/package-lock.json"; return 1; }
  fi
}

# What tests run on Python, pinned in tests/tools, likewise.
setup_python_tools() {
  local tools="${CARGO_TARGET_DIR:-$PWD/target}/python-tools"
  if ! cmp -s tests/tools/requirements.txt "$tools/requirements.txt"; then
    echo "setup: installing the packages of tests/tools/requirements.txt" >&2
    rm -rf "$tools"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --target "$tools" \
      --requirement tests/tools/requirements.txt >&2
    cp tests/tools/requirements.txt "$tools/"
  fi
}
