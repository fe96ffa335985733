# Stage 40 against CP-SAT and HiGHS on the same model, sourced by bench.sh.

# The peers go into a virtual environment of their own. With the defaults it takes an hour. $PLANNER_SEEDS (5),
# $PLANNER_PEER_SECONDS (60, for each peer on each instance; 0: no peers) and $PLANNER_SIZES (all, such as
# "30x4x90 120x8x400") make it shorter.
bench_planner() {
  local seeds="${PLANNER_SEEDS:-5}" seconds="${PLANNER_PEER_SECONDS:-60}" sizes python=python3
  read -ra sizes <<<"${PLANNER_SIZES:-}"
  if [ "$seconds" != 0 ]; then
    need pip3 python3-pip
    install_missing
    python3 -m venv "$scratch/peers" 2>/dev/null || { missing_packages+=(python3-venv); install_missing; python3 -m venv "$scratch/peers"; }
    python="$scratch/peers/bin/python"
    "$scratch/peers/bin/pip" install --quiet --disable-pip-version-check ortools==9.15.6755 highspy==1.16.0
  fi
  PYTHONPATH=tests/oracle "$python" scripts/bench/planner.py "$target/release" "$scratch/planner" "$seeds" "$seconds" "${sizes[@]}" || missed=1
}
